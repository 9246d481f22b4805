import { byId } from './page.js'

const MOST = 5

/**
 * Tells a screen reader. More than a few sentences at once would be noise.
 * @param {string} text
 */
export function say(text) {
  const said = byId('said')
  const line = document.createElement('span')
  line.textContent = `${text} `
  said.append(line)
  while (said.childElementCount > MOST) said.firstElementChild?.remove()
}

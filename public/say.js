import { byId } from './page.js'

const MOST = 5

/**
 * Has a screen reader announce the text. Only the last few texts stay, because more would be noise.
 * @param {string} text
 */
export function say(text) {
  const said = byId('said')
  const line = document.createElement('span')
  line.textContent = `${text} `
  said.append(line)
  while (said.childElementCount > MOST) said.firstElementChild?.remove()
}

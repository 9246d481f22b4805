const MOST = 5

/** Tells it to those who hear the page. More than a few at once would be noise. */
export function say(text) {
  const said = document.getElementById('said')
  const line = document.createElement('span')
  line.textContent = `${text} `
  said.append(line)
  while (said.childElementCount > MOST) said.firstElementChild.remove()
}

import { say } from './say.js'

const SHOWN_MS = 1600

/**
 * Copies the text, and shows the result on the button.
 * @param {HTMLElement} button
 * @param {string} text
 */
export async function copyFrom(button, text) {
  const word = (await copied(text)) ? 'Copied' : 'Copying failed'
  button.dataset.word ??= button.textContent ?? ''
  button.textContent = word
  say(word)
  setTimeout(() => {
    button.textContent = button.dataset.word ?? ''
  }, SHOWN_MS)
}

/** @param {string} text */
async function copied(text) {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    return copiedByHand(text)
  }
}

/**
 * For pages over plain HTTP: browsers give them no clipboard API, except on localhost.
 * @param {string} text
 */
function copiedByHand(text) {
  const area = document.createElement('textarea')
  area.value = text
  area.className = 'visually-hidden'
  area.setAttribute('aria-hidden', 'true')
  const before = document.activeElement
  document.body.append(area)
  area.select()
  const done = document.execCommand('copy')
  area.remove()
  if (before instanceof HTMLElement) before.focus()
  return done
}

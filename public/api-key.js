import { byId } from './page.js'

const KEY = 'tandem-key'

/** @type {Promise<boolean> | undefined} */
let asked

/** @returns {Record<string, string>} */
export function keyHeaders() {
  const key = sessionStorage.getItem(KEY)
  return key === null ? {} : { 'X-Api-Key': key }
}

/**
 * Asks the user for the key, once for all waiting requests. Resolves to false when the user gives none.
 * @param {string} why
 */
export function askForKey(why) {
  asked ??= ask(why).finally(() => {
    asked = undefined
  })
  return asked
}

/**
 * @param {string} why
 * @returns {Promise<boolean>}
 */
function ask(why) {
  const dialog = byId('key-dialog', HTMLDialogElement)
  const input = byId('key', HTMLInputElement)
  const hadOne = sessionStorage.getItem(KEY) !== null
  if (hadOne) byId('key-why').textContent = why
  dialog.returnValue = ''
  dialog.showModal()
  return new Promise((resolve) => {
    const onClose = () => {
      const key = input.value.trim()
      input.value = ''
      const given = dialog.returnValue === 'use' && /^[\x21-\x7e]+$/.test(key)
      if (given) sessionStorage.setItem(KEY, key)
      resolve(given)
    }
    dialog.addEventListener('close', onClose, { once: true })
  })
}

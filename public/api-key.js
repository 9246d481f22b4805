const KEY = 'tandem-key'

let asked

export function keyHeaders() {
  const key = sessionStorage.getItem(KEY)
  return key === null ? {} : { 'X-Api-Key': key }
}

/** Asks for the key once, for all who want it; false when nobody gives one. */
export function askForKey(why) {
  asked ??= ask(why).finally(() => {
    asked = undefined
  })
  return asked
}

function ask(why) {
  const dialog = document.getElementById('key-dialog')
  const input = document.getElementById('key')
  const hadOne = sessionStorage.getItem(KEY) !== null
  if (hadOne) document.getElementById('key-why').textContent = why
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

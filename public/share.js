/**
 * The command that gives the same answer. The key itself stays out of it.
 * @param {{ url?: string | undefined, name: string }} image
 * @param {string} address
 * @param {boolean} hasKey
 */
export function curlOf({ url, name }, address, hasKey) {
  const key = hasKey ? ' -H "X-Api-Key: $API_KEY"' : ''
  const what =
    url === undefined ? `--data-binary ${quoted(`@${name}`)}` : `--data-urlencode ${quoted(`url=${url}`)}`
  return `curl ${what}${key} ${address}`
}

/**
 * As one word of a shell, whatever is in it.
 * @param {string} text
 */
function quoted(text) {
  return /^[\w@./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}

/**
 * What a program would have got, without what was said on the way to it.
 * @param {import('./answer.js').Answer} answer
 */
export function jsonOf({ state, image, ...answer }) {
  return JSON.stringify(answer, null, 2)
}

/**
 * @param {string} text
 * @param {string} fileName
 */
export function save(text, fileName) {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(new Blob([text], { type: 'application/json' }))
  link.download = fileName
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 1000)
}

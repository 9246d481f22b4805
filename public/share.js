/**
 * The curl command for the same answer. The command names a variable for the key, and never holds the key itself.
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
 * Quoted, so that a shell takes any text as one word.
 * @param {string} text
 */
function quoted(text) {
  return /^[\w@./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}

/**
 * The JSON that a program would have got, without the fields of the streamed answer.
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

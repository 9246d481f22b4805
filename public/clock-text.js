/** @param {number} milliseconds since 1970 */
export function clockText(milliseconds) {
  return new Date(milliseconds).toLocaleTimeString([], {
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hour12: false,
  })
}

/** Browsers store some five million characters for a tab. The key and other pages need some of them. */
const MAX_TEXT = 3_000_000
/** The fraction of the entries to keep when the browser refuses to store all. */
const KEPT_WHEN_FULL = 0.75

/** @typedef {import('./answer.js').Answer} Answer */
/**
 * @typedef {object} Entry
 * @property {string} name
 * @property {string | undefined} [url]
 * @property {Answer} answer
 * @property {string | undefined} [picture] a data URI
 * @property {boolean | undefined} [reported]
 */

/**
 * The answers on one page, kept until the tab is closed.
 * @param {string} name
 */
export function createHistory(name) {
  const key = `tandem-history-${name}`
  return {
    /** @returns {Entry[]} */
    read() {
      try {
        const entries = JSON.parse(sessionStorage.getItem(key) ?? '[]')
        return Array.isArray(entries) ? entries : []
      } catch {
        return []
      }
    },
    /**
     * Keeps as many entries as fit.
     * @param {readonly Entry[]} entries the newest first
     */
    write(entries) {
      let kept = bounded(entries)
      while (kept.length > 0) {
        try {
          sessionStorage.setItem(key, `[${kept.join(',')}]`)
          return
        } catch {
          kept = kept.slice(0, Math.floor(kept.length * KEPT_WHEN_FULL))
        }
      }
      sessionStorage.removeItem(key)
    },
  }
}

/**
 * @param {readonly Entry[]} entries
 * @returns {string[]} as JSON
 */
function bounded(entries) {
  const texts = []
  let length = 2
  for (const entry of entries) {
    const text = JSON.stringify(entry)
    length += text.length + 1
    if (length > MAX_TEXT) break
    texts.push(text)
  }
  return texts
}

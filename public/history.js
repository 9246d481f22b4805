const MAX_TEXT = 3_000_000

/** The answers of this visit to one page, as long as the tab is open. */
export function createHistory(name) {
  const key = `tandem-history-${name}`
  return {
    read() {
      try {
        const entries = JSON.parse(sessionStorage.getItem(key) ?? '[]')
        return Array.isArray(entries) ? entries : []
      } catch {
        return []
      }
    },
    write(entries) {
      const kept = [...entries]
      let text = JSON.stringify(kept)
      // The oldest stand last. Browsers grant a tab some five million characters.
      while (text.length > MAX_TEXT && kept.pop()) text = JSON.stringify(kept)
      try {
        sessionStorage.setItem(key, text)
      } catch {
        sessionStorage.removeItem(key)
      }
    },
  }
}

import { type FSWatcher, watch } from 'node:fs'
import { basename, dirname } from 'node:path'

/** Wakes who waits for a file when something happens to it. */
export function folderWatch(path: string) {
  let wake = () => {}
  const watcher = tryToWatch(dirname(path), (file) => {
    // A download beside it changes its own part all the time.
    if (file === null || file === basename(path)) wake()
  })
  return {
    /** Resolves at the next change, after `atMostMs` in any case. */
    change(atMostMs: number, signal: AbortSignal): Promise<void> {
      return new Promise((resolve, reject) => {
        const end = (settle: () => void) => () => {
          clearTimeout(timer)
          signal.removeEventListener('abort', aborted)
          wake = () => {}
          settle()
        }
        const aborted = end(() => reject(signal.reason))
        const timer = setTimeout(end(resolve), atMostMs)
        wake = end(resolve)
        if (signal.aborted) aborted()
        else signal.addEventListener('abort', aborted)
      })
    },
    [Symbol.dispose]: () => watcher?.close(),
  }
}

/** Network folders send no news and the number of watches is limited; who waits looks by itself from time to time. */
function tryToWatch(folder: string, onChange: (file: string | null) => void): FSWatcher | undefined {
  try {
    return watch(folder, { persistent: false }, (_, file) => onChange(file)).on('error', () => {})
  } catch {
    return undefined
  }
}

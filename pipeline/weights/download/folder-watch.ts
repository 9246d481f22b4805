import { type FSWatcher, watch } from 'node:fs'
import { basename, dirname } from 'node:path'

/** Lets the caller wait for a change of a file. */
export function folderWatch(path: string) {
  let wake = () => {}
  const watcher = tryToWatch(dirname(path), (file) => {
    // Other files are ignored, since a download changes its part all the time.
    if (file === null || file === basename(path)) wake()
  })
  return {
    /** Resolves at the next change, or after `atMostMs`. */
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
    close: () => watcher?.close(),
  }
}

/** May fail or stay silent: network folders report no changes, and watches are limited. So callers also poll. */
function tryToWatch(folder: string, onChange: (file: string | null) => void): FSWatcher | undefined {
  try {
    return watch(folder, { persistent: false }, (_, file) => onChange(file)).on('error', () => {})
  } catch {
    return undefined
  }
}

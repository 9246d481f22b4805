import { stat } from 'node:fs/promises'

// How soon a change is noticed. The files are looked at by name: network folders send no news of their files, and a
// file that does not exist yet cannot send any.
const LOOK_EVERY_MS = 1000

/**
 * Calls `onChange` once when one of the files has changed (or appeared, or gone) and all of them have kept still from one
 * look to the next: a file that is being copied is not read halfway. `since` is when the files were read last; a change
 * between then and the first look counts. Does not keep the process.
 */
export function watchFiles(paths: readonly string[], since: number, onChange: () => void): { close(): void } {
  let timer: NodeJS.Timeout | undefined
  let closed = false
  let seen: string | undefined
  let changed = false

  async function look(): Promise<void> {
    const files = await Promise.all(paths.map(lookAt))
    if (closed) return
    const now = files.map(({ state }) => state).join('\n')
    if (seen === undefined) changed = files.some(({ at }) => at >= since && at <= Date.now())
    if (seen !== undefined && seen !== now) changed = true
    else if (seen !== undefined && changed) return onChange()
    seen = now
    timer = setTimeout(() => void look(), LOOK_EVERY_MS).unref()
  }

  if (paths.length > 0) void look()
  return {
    close() {
      closed = true
      clearTimeout(timer)
    },
  }
}

/** The time of change of the inode also moves when a file is replaced by one with older times. */
async function lookAt(path: string): Promise<{ state: string; at: number }> {
  const its = await stat(path).catch(() => undefined)
  if (its === undefined) return { state: 'none', at: 0 }
  return { state: `${its.dev} ${its.ino} ${its.size} ${its.mtimeMs} ${its.ctimeMs}`, at: its.ctimeMs }
}

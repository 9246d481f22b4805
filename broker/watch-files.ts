import { stat } from 'node:fs/promises'

// How soon a change is noticed. Polling also works in network folders and for files that do not exist yet.
const LOOK_EVERY_MS = 1000

/**
 * Calls `onChange` once, when one of the files has changed, appeared or gone. A file that is still being copied is left
 * alone: two looks in a row must find the files the same. `since` is the start of the child that read the files last;
 * changes between then and the first look count. The timer does not keep the process alive.
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

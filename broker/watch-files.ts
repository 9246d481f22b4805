import { stat } from 'node:fs/promises'

// How soon a change is noticed. Polling also works in network folders and for files that do not exist yet.
const LOOK_EVERY_MS = 1000

export interface FileWatch {
  /** Looks at the files now, and tells whether one has changed since the beginning. */
  changed(): Promise<boolean>
  close(): void
}

/**
 * Calls `onChange` once, when one of the files has changed, appeared or gone. A file that is still being copied is left
 * alone: two looks in a row must find the files the same. `since` is the start of the child that read the files last;
 * changes between then and the first look count. The timer does not keep the process alive.
 */
export function watchFiles(paths: readonly string[], since: number, onChange: () => void): FileWatch {
  let timer: NodeJS.Timeout | undefined
  let closed = false
  let seen: string | undefined
  let hasChanged = false

  /** Returns whether the files are as they were at the look before. */
  async function look(): Promise<boolean> {
    const files = await Promise.all(paths.map(lookAt))
    const now = files.map(({ state }) => state).join('\n')
    const before = seen
    seen = now
    if (before === undefined) hasChanged ||= files.some(({ at }) => at >= since && at <= Date.now())
    else if (before !== now) hasChanged = true
    return before === now
  }

  async function poll(): Promise<void> {
    const isQuiet = await look()
    if (closed) return
    if (isQuiet && hasChanged) return onChange()
    timer = setTimeout(() => void poll(), LOOK_EVERY_MS).unref()
  }

  if (paths.length > 0) void poll()
  return {
    async changed() {
      await look()
      return hasChanged
    },
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

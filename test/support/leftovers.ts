import { readdirSync, readFileSync } from 'node:fs'

type Close = () => unknown

const open = new Set<Close>()

/**
 * Registers a resource that would keep the run from ending if a failed test does not close it. The result unregisters
 * it.
 */
export function closeAfterRun(close: Close): () => void {
  open.add(close)
  return () => void open.delete(close)
}

/** Closes all resources that the tests have left open, the newest first. Closing one may close others too. */
export async function closeLeftovers(): Promise<void> {
  for (let close = newest(); close !== undefined; close = newest()) {
    open.delete(close)
    await close()
  }
}

function newest(): Close | undefined {
  return [...open].at(-1)
}

/**
 * All processes that were started with a temporary directory at or below `folder`, including children whose parent has
 * died. Works only under Linux; elsewhere the list is empty.
 */
export function processesIn(folder: string): number[] {
  if (process.platform !== 'linux') return []
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => usesFolder(pid, folder))
    .map(Number)
}

export function killProcessesIn(folder: string): void {
  for (const pid of processesIn(folder)) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // It has ended meanwhile.
    }
  }
}

function usesFolder(pid: string, folder: string): boolean {
  try {
    const variables = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0')
    return variables.some((entry) => entry === `TMPDIR=${folder}` || entry.startsWith(`TMPDIR=${folder}/`))
  } catch {
    // It has ended meanwhile, or belongs to another user.
    return false
  }
}

import { readdirSync, readFileSync } from 'node:fs'

type Close = () => unknown

const open = new Set<Close>()

/** For what would keep the run from its end where a test fails before it closes it. The result takes it off the list. */
export function closeAfterRun(close: Close): () => void {
  open.add(close)
  return () => void open.delete(close)
}

/** Closes everything that the tests have left open, the newest first. To close one may close others, too. */
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
 * Processes that were started with a temporary directory at or below `folder`, whoever started them: a child whose
 * parent has died is among them. Linux alone tells; elsewhere the list is empty.
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

import { createHash, randomUUID } from 'node:crypto'
import { readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'

export interface FileLock {
  /** Whether another process held the lock first. */
  readonly waited: boolean
  /** Aborted when another process has taken the lock away, such as after this machine slept. */
  readonly lost: AbortSignal
  release(): Promise<void>
}

interface Owner {
  pid: number
  host: string
  token: string
}

// The owner touches the file this often.
const BEAT_MS = 2000
// The owner counts as dead after several missing beats, since a busy disk may delay one.
const SILENT_MS = 15_000
const LOOK_EVERY_MS = 250

// The tokens of this process. The process id is not enough: in a container, it is often the same after a restart.
const mine = new Set<string>()

/**
 * Waits until this process alone holds the file `path`. On one host, the process id shows a dead owner at once. Between
 * containers that share a folder, only a missing heartbeat shows one, measured by the clock of the waiting process.
 */
export async function lockFile(
  path: string,
  options: { signal?: AbortSignal | undefined; onWait?: () => void } = {},
): Promise<FileLock> {
  const owner: Owner = { pid: process.pid, host: hostname(), token: randomUUID() }
  let seen = { beat: '', at: performance.now() }
  let waited = false
  mine.add(owner.token)
  try {
    while (!(await create(path, owner))) {
      options.signal?.throwIfAborted()
      const [other, beat] = await look(path)
      if (beat !== seen.beat) seen = { beat, at: performance.now() }
      if (isDead(other) || performance.now() - seen.at > SILENT_MS) {
        if (await takeAway(path, other?.token)) continue
      }
      waited = true
      options.onWait?.()
      await sleep(LOOK_EVERY_MS, undefined, { signal: options.signal })
    }
  } catch (error) {
    mine.delete(owner.token)
    throw error
  }
  return hold(path, owner, waited)
}

function hold(path: string, { token }: Owner, waited: boolean): FileLock {
  const lost = new AbortController()
  const isHeld = async () => (await look(path))[0]?.token === token
  const beat = setInterval(async () => {
    if (!(await isHeld())) return lost.abort(new Error(`the lock ${path} was taken away`))
    const now = new Date()
    await utimes(path, now, now).catch(() => {})
  }, BEAT_MS).unref()
  return {
    waited,
    lost: lost.signal,
    async release() {
      clearInterval(beat)
      if (await isHeld()) await rm(path, { force: true })
      mine.delete(token)
    },
  }
}

async function create(path: string, owner: Owner): Promise<boolean> {
  try {
    await writeFile(path, JSON.stringify(owner), { flag: 'wx' })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** The owner of the lock and its last beat. The owner is undefined while its file is being written. */
async function look(path: string): Promise<[Owner | undefined, beat: string]> {
  try {
    const text = await readFile(path, 'utf8')
    const { mtimeMs } = await stat(path)
    return [parseOwner(text), `${mtimeMs} ${text}`]
  } catch {
    return [undefined, '']
  }
}

function parseOwner(text: string): Owner | undefined {
  try {
    const { pid, host, token } = JSON.parse(text) as Partial<Owner>
    const isOwner = Number.isInteger(pid) && typeof host === 'string' && typeof token === 'string'
    return isOwner ? ({ pid, host, token } as Owner) : undefined
  } catch {
    return undefined
  }
}

function isDead(owner: Owner | undefined): boolean {
  if (owner === undefined || owner.host !== hostname()) return false
  if (owner.pid === process.pid) return !mine.has(owner.token)
  try {
    process.kill(owner.pid, 0)
    return false
  } catch (error) {
    // EPERM means that the process lives and belongs to another user.
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
}

/**
 * Removes the lock of a dead owner. Several processes may see that the owner is dead, and a slow one must not remove the
 * new lock of a fast one. So the removal has a guard file, named after the dead owner, which only one process can make
 * and under which the process looks again. False if another process is removing the lock.
 */
async function takeAway(path: string, token: string | undefined): Promise<boolean> {
  // The token comes from a file, and may hold anything.
  const name = createHash('sha256').update(String(token)).digest('hex').slice(0, 16)
  const guard = `${path}.${name}`
  try {
    await writeFile(guard, '', { flag: 'wx' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    await removeIfForgotten(guard)
    return false
  }
  try {
    const [found] = await look(path)
    if (found?.token === token) await rm(path, { force: true })
  } finally {
    await rm(guard, { force: true })
  }
  return true
}

/** A guard is needed for milliseconds, unless its process dies. */
async function removeIfForgotten(guard: string): Promise<void> {
  const made = await stat(guard).catch(() => undefined)
  if (made !== undefined && Date.now() - made.mtimeMs > SILENT_MS) await rm(guard, { force: true })
}

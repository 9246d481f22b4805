import { randomUUID } from 'node:crypto'
import { readdir, rm, stat } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'

/** No compilation takes this long: VGG-16 takes seconds. */
const UNFINISHED_FOR_MS = 60 * 60 * 1000
/** Compiled from weights, settings or by a version that nobody has used since; it can be made again. */
const UNUSED_FOR_MS = 30 * 24 * 60 * 60 * 1000

const UNFINISHED = /^[0-9a-f]{32}-v\d+\.([\w-]+)\.(\d+)\.[\w-]+\.part$/
const FINISHED = /^[0-9a-f]{32}-v\d+$/

// After a crash in a container, the next process often has the very same id: its own work it knows by name.
const mine = new Set<string>()

/** A name under which this process compiles. It says who that is, so that others know when it is gone. */
export function unfinishedName(name: string): string {
  const unfinished = `${name}.${host()}.${process.pid}.${randomUUID()}.part`
  mine.add(unfinished)
  return unfinished
}

/** Removes what killed processes have left, and what has long been out of use. Nothing else in the folder is touched. */
export async function sweepCompiled(cacheDir: string): Promise<void> {
  await sweepUnfinished(cacheDir)
  await sweep(cacheDir, async (name, folder) => FINISHED.test(name) && (await ageOf(folder)) > UNUSED_FOR_MS)
}

/** Removes what killed processes have left in a folder that others use for other things. */
export async function sweepUnfinished(folder: string): Promise<void> {
  await sweep(folder, isUnfinished)
}

async function sweep(
  parent: string,
  isLeftOver: (name: string, folder: string) => Promise<boolean>,
): Promise<void> {
  for (const name of await readdir(parent)) {
    const folder = join(parent, name)
    // Where something may not be removed, the next sweep may have more luck.
    if (await isLeftOver(name, folder))
      await rm(folder, { recursive: true, force: true }).catch(() => undefined)
  }
}

async function isUnfinished(name: string, folder: string): Promise<boolean> {
  const [, owner, pid] = UNFINISHED.exec(name) ?? []
  if (pid === undefined || mine.has(name)) return false
  // A process id means nothing on another machine that shares the folder; there only age tells.
  if (owner === host() && (Number(pid) === process.pid || !isAlive(Number(pid)))) return true
  return (await ageOf(folder)) > UNFINISHED_FOR_MS
}

async function ageOf(path: string): Promise<number> {
  const its = await stat(path).catch(() => undefined)
  return its ? Date.now() - its.mtimeMs : 0
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

const host = (): string =>
  hostname()
    .replace(/[^\w-]/g, '-')
    .slice(0, 64)

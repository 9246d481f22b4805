import { randomUUID } from 'node:crypto'
import { readdir, rm, stat } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'

/** An unfinished compilation of this age was abandoned: VGG-16 takes seconds. */
const UNFINISHED_FOR_MS = 60 * 60 * 1000
/** A compiled model of this age is no longer needed: weights, settings or compiler have changed. It can be made again. */
const UNUSED_FOR_MS = 30 * 24 * 60 * 60 * 1000

const UNFINISHED = /^[0-9a-f]{32}-v\d+(?:-(?:int8|dense)-[78])?\.([\w-]+)\.(\d+)\.[\w-]+\.part$/
const FINISHED = /^[0-9a-f]{32}-v\d+$/
const SAVED = /^onnxruntime-[\w.-]+$/

// The names under which this process compiles. After a crash in a container, the next process often has the same id, so
// the id alone does not tell its own folders from those of the dead process.
const mine = new Set<string>()

/** A temporary name that contains host and process id, so that other processes can tell when this one is gone. */
export function unfinishedName(name: string): string {
  const unfinished = `${name}.${host()}.${process.pid}.${randomUUID()}.part`
  mine.add(unfinished)
  return unfinished
}

/** Removes the folders of killed processes and models unused for long. Touches nothing else in the cache. */
export async function sweepCompiled(cacheDir: string): Promise<void> {
  await sweepUnfinished(cacheDir)
  await sweep(cacheDir, async (name, folder) => FINISHED.test(name) && (await ageOf(folder)) > UNUSED_FOR_MS)
}

/** Removes saved graphs for other versions of ONNX Runtime and other CPUs, unless one was used lately, from a compiled model. */
export async function sweepSaved(folder: string): Promise<void> {
  await sweep(folder, async (name, saved) => SAVED.test(name) && (await ageOf(saved)) > UNUSED_FOR_MS)
}

/** Removes the folders of killed processes from a folder that other programs use as well. */
export async function sweepUnfinished(folder: string): Promise<void> {
  await sweep(folder, isUnfinished)
}

async function sweep(
  parent: string,
  isLeftOver: (name: string, folder: string) => Promise<boolean>,
): Promise<void> {
  for (const name of await readdir(parent)) {
    const folder = join(parent, name)
    // A folder that cannot be removed is left for the next sweep.
    if (await isLeftOver(name, folder))
      await rm(folder, { recursive: true, force: true }).catch(() => undefined)
  }
}

async function isUnfinished(name: string, folder: string): Promise<boolean> {
  const [, owner, pid] = UNFINISHED.exec(name) ?? []
  if (pid === undefined || mine.has(name)) return false
  // The process id of another machine that shares the folder cannot be checked; there only the age counts.
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

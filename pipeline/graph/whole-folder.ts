import { mkdir, open, readFile, rename, rm, stat, utimes } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { modelIn, writeDurably } from './write-model.ts'

/*
 * A folder with a model that is there as a whole or not at all. The folder is built under a temporary name and renamed
 * when everything is on the disk. So a killed process leaves no half model under the final name, and of two processes
 * that build the same model, the second finds the name taken and uses the folder of the first.
 */

const SIZES_FILE = 'sizes.json'

/** Builds under the name `temporary`, which must be on the same disk as `folder`. */
export async function buildWhole(
  temporary: string,
  folder: string,
  fill: (temporary: string) => Promise<void>,
): Promise<void> {
  await mkdir(temporary)
  try {
    await fill(temporary)
    await publishWhole(temporary, folder)
  } finally {
    await rm(temporary, { recursive: true, force: true })
  }
}

/** Gives a complete folder its final name, unless another process has been faster. */
export async function publishWhole(temporary: string, folder: string): Promise<void> {
  await writeDurably(join(temporary, SIZES_FILE), JSON.stringify(await sizes(temporary)))
  await renameTo(temporary, folder)
}

/** Whether both files still have the sizes at which they were written: an interrupted copy may have truncated them. */
export async function isWhole(folder: string): Promise<boolean> {
  try {
    const noted: unknown = JSON.parse(await readFile(join(folder, SIZES_FILE), 'utf8'))
    return JSON.stringify(noted) === JSON.stringify(await sizes(folder))
  } catch {
    return false
  }
}

/** Sets the time of last use, by which old models are removed. Fails silently: a read-only cache is still usable. */
export async function markUsed(folder: string): Promise<void> {
  const now = new Date()
  await utimes(folder, now, now).catch(() => undefined)
}

async function renameTo(temporary: string, folder: string): Promise<void> {
  try {
    await rename(temporary, folder)
  } catch (error) {
    // A folder cannot be renamed over one that has files: another process was faster, or an incomplete model is there.
    if (await isWhole(folder)) return
    if (!TAKEN.has(codeOf(error))) throw error
    await rm(folder, { recursive: true, force: true })
    await rename(temporary, folder)
  }
  await syncFolder(dirname(folder))
}

/** A file that is missing has no size. */
async function sizes(folder: string): Promise<{ model: number; data: number }> {
  const { modelPath, dataPath } = modelIn(folder)
  const sizeOf = (path: string) =>
    stat(path).then(
      ({ size }) => size,
      () => -1,
    )
  const [model, data] = await Promise.all([sizeOf(modelPath), sizeOf(dataPath)])
  return { model, data }
}

/** Not every system can open a folder; there, a power failure may lose the new name, but nothing else. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path).catch(() => undefined)
  await folder?.sync().catch(() => undefined)
  await folder?.close()
}

const TAKEN: ReadonlySet<string> = new Set(['ENOTEMPTY', 'EEXIST', 'EPERM', 'ENOTDIR'])

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}

import { mkdir, open, readFile, rename, rm, stat, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { makeFolder } from '../make-folder.ts'
import { compiledName } from './compiler-version.ts'
import { sweepCompiled, unfinishedName } from './sweep-compiled.ts'
import {
  type Compile,
  type CompiledModel,
  explained,
  modelIn,
  writeDurably,
  writeModel,
} from './write-model.ts'

export interface CacheOptions {
  /** Created if missing. */
  readonly cacheDir: string
  /** The cache key, any text. Must change with everything that the result depends on: the source file and settings. */
  readonly key: string
  readonly compile: Compile
}

const SIZES_FILE = 'sizes.json'

/**
 * Returns the compiled model from the cache, or compiles it. Each model is a folder, built under a temporary name and
 * renamed when everything is on the disk. So a killed process leaves no half model under the final name, and of two
 * processes that compile the same model, the second finds the name taken and uses the folder of the first.
 */
export async function compiledModel(options: CacheOptions): Promise<CompiledModel> {
  const { cacheDir, key } = options
  const name = compiledName(key)
  const folder = join(cacheDir, name)
  const found = modelIn(folder)
  if (await isWhole(folder)) {
    await markUsed(folder)
    return found
  }
  try {
    await makeFolder(cacheDir)
    await sweepCompiled(cacheDir)
    await build(options, join(cacheDir, unfinishedName(name)), folder)
    return found
  } catch (error) {
    throw explained(error, cacheDir)
  }
}

async function build({ compile }: CacheOptions, temporary: string, folder: string): Promise<void> {
  await mkdir(temporary)
  try {
    await writeModel(temporary, compile)
    await writeDurably(join(temporary, SIZES_FILE), JSON.stringify(await sizes(temporary)))
    await publish(temporary, folder)
  } finally {
    await rm(temporary, { recursive: true, force: true })
  }
}

async function publish(temporary: string, folder: string): Promise<void> {
  try {
    await rename(temporary, folder)
  } catch (error) {
    // A folder cannot be renamed over one that has files: another process was faster, or an incomplete model is there.
    if (await isWhole(folder)) return
    if (!TAKEN.has(codeOf(error))) throw error
    await rm(folder, { recursive: true, force: true })
    await rename(temporary, folder)
  }
  await syncFolder(join(folder, '..'))
}

/** Whether both files still have the sizes at which they were written: an interrupted copy may have truncated them. */
async function isWhole(folder: string): Promise<boolean> {
  try {
    const noted: unknown = JSON.parse(await readFile(join(folder, SIZES_FILE), 'utf8'))
    return JSON.stringify(noted) === JSON.stringify(await sizes(folder))
  } catch {
    return false
  }
}

async function sizes(folder: string): Promise<{ model: number; data: number }> {
  const { modelPath, dataPath } = modelIn(folder)
  const [model, data] = await Promise.all([stat(modelPath), stat(dataPath)])
  return { model: model.size, data: data.size }
}

/** Sets the time of last use, by which old models are removed. Fails silently: a read-only cache is still usable. */
async function markUsed(folder: string): Promise<void> {
  const now = new Date()
  await utimes(folder, now, now).catch(() => undefined)
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

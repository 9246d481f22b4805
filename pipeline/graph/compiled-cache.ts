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
  /** Made if it is not there. */
  readonly cacheDir: string
  /** Stands for everything the result depends on: the content of the source and the settings. Of any form. */
  readonly key: string
  readonly compile: Compile
}

const SIZES_FILE = 'sizes.json'

/**
 * The compiled model, from the folder if it is there. A model is a folder of its own that gets its name in one step,
 * when everything in it is on the disk: a process that is killed leaves a folder of another name, and of two processes
 * that compile the same model the second finds the name taken and uses what the first has made.
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
    // Somebody else was faster, or what bears the name is not whole: a folder is never renamed over a full one.
    if (await isWhole(folder)) return
    if (!TAKEN.has(codeOf(error))) throw error
    await rm(folder, { recursive: true, force: true })
    await rename(temporary, folder)
  }
  await syncFolder(join(folder, '..'))
}

/** Whether both files have the sizes that they had when they were made: a copied folder may have been cut short. */
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

/** So that sweeping can tell what nobody has used for long. A folder that cannot be written is good to read from. */
async function markUsed(folder: string): Promise<void> {
  const now = new Date()
  await utimes(folder, now, now).catch(() => undefined)
}

/** Not every system lets a folder be opened; there a name may be lost with the power, and nothing else. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path).catch(() => undefined)
  await folder?.sync().catch(() => undefined)
  await folder?.close()
}

const TAKEN: ReadonlySet<string> = new Set(['ENOTEMPTY', 'EEXIST', 'EPERM', 'ENOTDIR'])

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}

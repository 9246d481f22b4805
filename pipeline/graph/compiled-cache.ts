import { createHash } from 'node:crypto'
import { type FileHandle, mkdir, open, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ModelError } from '../errors.ts'
import { COMPILER_VERSION } from './compiler-version.ts'
import { sweepCompiled, unfinishedName } from './sweep-compiled.ts'

export interface CompiledModel {
  readonly modelPath: string
  readonly dataPath: string
}

export interface CacheOptions {
  /** Created if missing. */
  readonly cacheDir: string
  /** The cache key, any text. Must change with everything that the result depends on: the source file and settings. */
  readonly key: string
  /** Writes the weights and returns the model, which will look for the weights under the name `dataFile`. */
  compile(dataFile: string, write: (bytes: Uint8Array) => Promise<void>): Promise<Uint8Array>
}

const MODEL_FILE = 'model.onnx'
const DATA_FILE = 'model.data'
const SIZES_FILE = 'sizes.json'

/**
 * Returns the compiled model from the cache, or compiles it. Each model is a folder, built under a temporary name and
 * renamed when everything is on the disk. So a killed process leaves no half model under the final name, and of two
 * processes that compile the same model, the second finds the name taken and uses the folder of the first.
 */
export async function compiledModel(options: CacheOptions): Promise<CompiledModel> {
  const { cacheDir, key } = options
  const name = `${createHash('sha256').update(key).digest('hex').slice(0, 32)}-v${COMPILER_VERSION}`
  const folder = join(cacheDir, name)
  const found = { modelPath: join(folder, MODEL_FILE), dataPath: join(folder, DATA_FILE) }
  if (await isWhole(folder)) {
    await markUsed(folder)
    return found
  }
  try {
    await mkdir(cacheDir, { recursive: true })
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
    const data = await open(join(temporary, DATA_FILE), 'wx')
    const model = await compile(DATA_FILE, (bytes) => writeAll(data, bytes)).finally(() => finish(data))
    await writeDurably(join(temporary, MODEL_FILE), model)
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
  const [model, data] = await Promise.all([stat(join(folder, MODEL_FILE)), stat(join(folder, DATA_FILE))])
  return { model: model.size, data: data.size }
}

/** Sets the time of last use, by which old models are removed. Fails silently: a read-only cache is still usable. */
async function markUsed(folder: string): Promise<void> {
  const now = new Date()
  await utimes(folder, now, now).catch(() => undefined)
}

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  let at = 0
  while (at < bytes.length) at += (await file.write(bytes, at)).bytesWritten
}

async function writeDurably(path: string, content: Uint8Array | string): Promise<void> {
  await writeFile(path, content, { flag: 'wx', flush: true })
}

async function finish(file: FileHandle): Promise<void> {
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}

/** Not every system can open a folder; there, a power failure may lose the new name, but nothing else. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path).catch(() => undefined)
  await folder?.sync().catch(() => undefined)
  await folder?.close()
}

const TAKEN: ReadonlySet<string> = new Set(['ENOTEMPTY', 'EEXIST', 'EPERM', 'ENOTDIR'])

const CAUSES: ReadonlyMap<string, string> = new Map([
  ['ENOSPC', 'the disk is full'],
  ['EDQUOT', 'the disk quota is used up'],
  ['EACCES', 'the folder is not writable'],
  ['EPERM', 'the folder is not writable'],
  ['EROFS', 'the file system is read-only'],
])

function explained(error: unknown, cacheDir: string): unknown {
  const cause = CAUSES.get(codeOf(error))
  if (cause === undefined) return error
  return new ModelError('ERR_MODEL_LOAD', `The compiled model cannot be stored in ${cacheDir}: ${cause}.`, {
    cause: error,
  })
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}

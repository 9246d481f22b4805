import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readdir, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { PipelineError } from '../../errors.ts'
import { makeFolder } from '../../make-folder.ts'

// A TF.js model has one file for every 4 MB. A folder with more files than this holds something else.
const MAX_FILES = 2_000
const READ_BYTES = 2 ** 20

/**
 * The SHA-256 of a model's file, or of all files of its folder. Stored together with each file's size and time of
 * change, so that a later start need not read half a gigabyte again.
 */
export async function contentHash(path: string, cacheDir: string): Promise<string> {
  const files = await listFiles(resolve(path))
  const state = JSON.stringify(files)
  const memory = memoryOf(path, cacheDir)
  const known = await recall(memory)
  if (known?.state === state) return known.hash
  const hash = createHash('sha256')
  for (const { file } of files) {
    for await (const chunk of createReadStream(file, { highWaterMark: READ_BYTES })) hash.update(chunk)
  }
  const result = hash.digest('hex')
  await remember(memory, { state, hash: result })
  return result
}

/** Whether `contentHash` need not read the files. */
export async function isHashKnown(path: string, cacheDir: string): Promise<boolean> {
  const known = await recall(memoryOf(path, cacheDir))
  return known !== undefined && known.state === JSON.stringify(await listFiles(resolve(path)))
}

function memoryOf(path: string, cacheDir: string): string {
  return join(cacheDir, `${digest(resolve(path)).slice(0, 24)}.hash.json`)
}

interface FileState {
  file: string
  size: number
  changed: number
}

async function listFiles(path: string): Promise<FileState[]> {
  const its = await stat(path).catch((cause) => {
    throw new PipelineError('ERR_MODEL_LOAD', `There is no model at ${path}.`, { cause })
  })
  if (its.isFile()) return [{ file: path, size: its.size, changed: its.mtimeMs }]
  const names = (await readdir(path, { withFileTypes: true })).filter((entry) => entry.isFile())
  if (names.length > MAX_FILES) {
    throw new PipelineError(
      'ERR_MODEL_LOAD',
      `${path} holds ${names.length} files, the limit is ${MAX_FILES}.`,
    )
  }
  const files = names.map(({ name }) => join(path, name)).sort()
  return Promise.all(
    files.map(async (file) => {
      const { size, mtimeMs } = await stat(file)
      return { file, size, changed: mtimeMs }
    }),
  )
}

interface KnownHash {
  state: string
  hash: string
}

async function recall(memory: string): Promise<KnownHash | undefined> {
  try {
    const { state, hash } = JSON.parse(await readFile(memory, 'utf8')) as Partial<KnownHash>
    return typeof state === 'string' && typeof hash === 'string' ? { state, hash } : undefined
  } catch {
    // Missing, or half written by a process that was killed: the files are hashed again.
    return undefined
  }
}

/** Errors are ignored: in a folder that cannot be written, the next start only takes longer. */
async function remember(memory: string, content: KnownHash): Promise<void> {
  try {
    await makeFolder(join(memory, '..'))
    const temporary = `${memory}.${process.pid}`
    await writeFile(temporary, JSON.stringify(content))
    await rename(temporary, memory)
  } catch {}
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

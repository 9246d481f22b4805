import { type FileHandle, open, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PipelineError } from '../errors.ts'

export interface CompiledModel {
  readonly modelPath: string
  readonly dataPath: string
}

/** Writes the weights and returns the model, which looks for them under the name `dataFile`. */
export type Compile = (dataFile: string, write: (bytes: Uint8Array) => Promise<void>) => Promise<Uint8Array>

const MODEL_FILE = 'model.onnx'
const DATA_FILE = 'model.data'

export function modelIn(folder: string): CompiledModel {
  return { modelPath: join(folder, MODEL_FILE), dataPath: join(folder, DATA_FILE) }
}

/** Compiles into a folder that is there and empty. */
export async function writeModel(folder: string, compile: Compile): Promise<void> {
  const { modelPath, dataPath } = modelIn(folder)
  const data = await open(dataPath, 'wx')
  const model = await compile(DATA_FILE, (bytes) => writeAll(data, bytes)).finally(() => finish(data))
  await writeDurably(modelPath, model)
}

export async function writeDurably(path: string, content: Uint8Array | string): Promise<void> {
  await writeFile(path, content, { flag: 'wx', flush: true })
}

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  let at = 0
  while (at < bytes.length) at += (await file.write(bytes, at)).bytesWritten
}

async function finish(file: FileHandle): Promise<void> {
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}

/** The system refuses to write the compiled model into a folder; another folder may do. */
export class UnwritableError extends PipelineError {}

const REASONS: ReadonlyMap<unknown, string> = new Map([
  ['ENOSPC', 'the disk is full'],
  ['EDQUOT', 'the disk quota is used up'],
  ['EACCES', 'the folder is not writable'],
  ['EPERM', 'the folder is not writable'],
  ['EROFS', 'the file system is read-only'],
  ['EEXIST', 'the path is a file'],
  ['ENOTDIR', 'the path leads through a file'],
  ['ENOENT', 'the folder cannot be created'],
])

/** Turns an error of the system into an UnwritableError. Errors of the model itself stay as they are. */
export function explained(error: unknown, folder: string, what = 'The compiled model'): unknown {
  const { code, syscall } = error as NodeJS.ErrnoException
  if (!(error instanceof Error) || syscall === undefined) return error
  const reason = REASONS.get(code) ?? `${syscall} failed with ${code}`
  const message = `${what} cannot be stored in ${folder}: ${reason}.`
  return new UnwritableError('ERR_MODEL_LOAD', message, { cause: error })
}

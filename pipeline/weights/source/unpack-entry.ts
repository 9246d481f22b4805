import { randomUUID } from 'node:crypto'
import { closeSync, openSync, unlinkSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { FileWindow } from './file-window.ts'
import { loadError } from './model-file-error.ts'
import { entryChunks, soundEntry, storedAt, type ZipEntries } from './zip-entries.ts'

export interface UnpackedEntry {
  readonly window: FileWindow
  close(): void
}

export interface UnpackRequest {
  /** The ZIP, for messages and for entries that are not compressed. */
  readonly file: FileWindow
  readonly zip: ZipEntries
  readonly entry: string
  readonly tmpDir: string
  /** Throws if the first bytes show that the rest is not worth unpacking. */
  readonly check: (head: Uint8Array) => void
}

/**
 * The content of an entry as a file. An uncompressed entry is read in place; a compressed one is unpacked into a
 * temporary file, which `close` frees. All bytes are read once, so that a damaged entry is found.
 */
export async function unpackEntry(request: UnpackRequest): Promise<UnpackedEntry> {
  const { file, zip, tmpDir } = request
  const entry = soundEntry(file.name, zip, request.entry)
  const name = `${request.entry} in ${file.name}`
  const start = await storedAt(file.name, zip, entry)
  if (start === undefined) return unpack(request, name, tmpDir)
  await eachChunk(request, () => undefined)
  const window = { name, fd: file.fd, start: file.start + start, size: entry.uncompressedSize }
  return { window, close: () => undefined }
}

async function unpack(request: UnpackRequest, name: string, tmpDir: string): Promise<UnpackedEntry> {
  const fd = nameless(tmpDir)
  let size = 0
  try {
    await eachChunk(request, (chunk) => {
      for (let done = 0; done < chunk.length; ) done += writeSync(fd, chunk, done)
      size += chunk.length
    })
  } catch (error) {
    closeSync(fd)
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ENOSPC') throw error
    throw loadError(`There is no room in ${tmpDir} to unpack ${name}.`, error)
  }
  return { window: { name, fd, start: 0, size }, close: () => closeSync(fd) }
}

/** A file that is removed from its folder while open, so that a process that is killed leaves nothing behind. */
function nameless(tmpDir: string): number {
  const path = join(tmpDir, `tandem-${randomUUID()}.part`)
  try {
    const fd = openSync(path, 'wx+', 0o600)
    unlinkSync(path)
    return fd
  } catch (cause) {
    throw loadError(`No temporary file can be made in ${tmpDir} to unpack the model.`, cause)
  }
}

async function eachChunk(request: UnpackRequest, take: (chunk: Buffer) => void): Promise<void> {
  const { file, zip, check } = request
  const entry = soundEntry(file.name, zip, request.entry)
  let isFirst = true
  for await (const chunk of entryChunks(file.name, zip, entry)) {
    if (isFirst) check(chunk)
    isFirst = false
    take(chunk)
  }
  if (isFirst) check(new Uint8Array(0))
}

/** The name of the only entry with this name in any folder of the ZIP. */
export function entryNamed({ entries }: ZipEntries, name: string): string | undefined {
  const [only, another] = [...entries.keys()].filter((path) => path === name || path.endsWith(`/${name}`))
  return another === undefined ? only : undefined
}

/** The whole content of an entry that must be short. */
export async function entryBytes(
  file: string,
  zip: ZipEntries,
  name: string,
  maxBytes: number,
): Promise<Buffer> {
  const entry = soundEntry(file, zip, name)
  if (entry.uncompressedSize > maxBytes) {
    throw loadError(`In ${file}, ${name} has ${entry.uncompressedSize} bytes, the limit is ${maxBytes}.`)
  }
  const chunks: Buffer[] = []
  for await (const chunk of entryChunks(file, zip, entry)) chunks.push(chunk)
  return Buffer.concat(chunks)
}

import type { Readable } from 'node:stream'
import { crc32 } from 'node:zlib'
import { type Entry, fromFd, type ZipFile } from 'yauzl'
import type { FileWindow } from './file-window.ts'
import { loadError, quote, unsupported } from './model-file-error.ts'

/** A .keras file has three entries, and more for layers with assets. */
const MAX_ENTRIES = 1_000
/** Weights hardly compress at all. Only a ZIP bomb reaches this ratio. */
const MAX_RATIO = 100
/** The ratio does not matter for entries up to this size. */
const SMALL_BYTES = 2 ** 20

const FILE_KIND = 0o170000
const SYMBOLIC_LINK = 0o120000
const STORED = 0
const DEFLATED = 8

export interface ZipEntries {
  readonly zip: ZipFile
  /** By name. A name is only a key, never part of a path. */
  readonly entries: ReadonlyMap<string, Entry>
}

/** The directory of a ZIP. Nothing is unpacked. */
export async function readEntries({ fd, name }: FileWindow): Promise<ZipEntries> {
  const entries = new Map<string, Entry>()
  const fail = (cause: Error) =>
    loadError(`${name} is cut off or damaged, or no sound ZIP: ${cause.message.replace(/\.$/, '')}.`, cause)
  const zip = await new Promise<ZipFile>((resolve, reject) => {
    // The caller owns the descriptor. The ZIP is never closed, since that would close the descriptor too.
    fromFd(fd, { lazyEntries: true, autoClose: false }, (error, opened) =>
      error ? reject(fail(error)) : resolve(opened),
    )
  })
  if (zip.entryCount > MAX_ENTRIES)
    throw loadError(`${name} has ${zip.entryCount} entries, the limit is ${MAX_ENTRIES}.`)
  await new Promise<void>((resolve, reject) => {
    zip.on('error', (error: Error) => reject(fail(error)))
    zip.on('end', resolve)
    zip.on('entry', (entry: Entry) => {
      if (entries.has(entry.fileName))
        return reject(loadError(`${name} has two entries ${quote(entry.fileName)}.`))
      entries.set(entry.fileName, entry)
      zip.readEntry()
    })
    zip.readEntry()
  })
  return { zip, entries }
}

/** The entry of this name; throws unless it is a file that is safe to unpack. */
export function soundEntry(file: string, { entries }: ZipEntries, name: string): Entry {
  const entry = entries.get(name)
  if (!entry) throw loadError(`${file} has no entry ${name}, which a .keras file must have.`)
  const { uncompressedSize, compressedSize, compressionMethod } = entry
  if (((entry.externalFileAttributes >>> 16) & FILE_KIND) === SYMBOLIC_LINK) {
    throw loadError(`In ${file}, the entry ${name} is a symbolic link, which is refused.`)
  }
  if (entry.isEncrypted()) throw unsupported(`In ${file}, the entry ${name} is encrypted.`)
  if (compressionMethod !== STORED && compressionMethod !== DEFLATED) {
    throw unsupported(
      `In ${file}, the entry ${name} is compressed by method ${compressionMethod}; deflate can be read.`,
    )
  }
  if (uncompressedSize > SMALL_BYTES && uncompressedSize > MAX_RATIO * compressedSize) {
    throw loadError(
      `In ${file}, the entry ${name} declares ${uncompressedSize} bytes compressed to ${compressedSize}; the largest ratio is ${MAX_RATIO} to 1.`,
    )
  }
  return entry
}

/** The content of an entry in chunks. Throws after the last one if the checksum differs from the declared one. */
export async function* entryChunks(file: string, { zip }: ZipEntries, entry: Entry): AsyncGenerator<Buffer> {
  const fail = (cause: unknown) =>
    loadError(`In ${file}, the entry ${entry.fileName} cannot be read: ${(cause as Error).message}.`, cause)
  const stream = await new Promise<Readable>((resolve, reject) => {
    zip.openReadStream(entry, (error, opened) => (error ? reject(fail(error)) : resolve(opened)))
  })
  let sum = 0
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      sum = crc32(chunk, sum)
      yield chunk
    }
  } catch (cause) {
    throw fail(cause)
  }
  if (sum === entry.crc32) return
  throw loadError(
    `In ${file}, the entry ${entry.fileName} has the checksum ${sum.toString(16)} instead of ${entry.crc32.toString(16)}: the file is damaged.`,
  )
}

/** The position of an entry's bytes in the file; undefined if the entry is compressed. */
export async function storedAt(file: string, { zip }: ZipEntries, entry: Entry): Promise<number | undefined> {
  if (entry.compressionMethod !== STORED) return undefined
  return new Promise((resolve, reject) => {
    zip.readLocalFileHeader(entry, { minimal: true }, (error, header) =>
      error
        ? reject(
            loadError(`In ${file}, the entry ${entry.fileName} cannot be read: ${error.message}.`, error),
          )
        : resolve(header.fileDataStart),
    )
  })
}

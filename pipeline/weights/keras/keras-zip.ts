import { randomUUID } from 'node:crypto'
import { closeSync, openSync, unlinkSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FileWindow } from '../source/file-window.ts'
import { loadError } from '../source/model-file-error.ts'
import { isHdf5 } from '../source/model-format.ts'
import { field, parseJson } from '../source/parse-json.ts'
import { entryChunks, readEntries, soundEntry, storedAt, type ZipEntries } from '../source/zip-entries.ts'

const CONFIG = 'config.json'
const METADATA = 'metadata.json'
const WEIGHTS = 'model.weights.h5'
/** The limit of a topology in all formats. That of ResNet152 has 0.4 MB. */
const MAX_CONFIG_BYTES = 32 * 2 ** 20

/** The topology in a .keras file, and the version of Keras that wrote the file. */
export async function zipConfig(window: FileWindow): Promise<{ config: unknown; version: unknown }> {
  const zip = await readEntries(window)
  soundEntry(window.name, zip, WEIGHTS)
  const config = await jsonEntry(window, zip, CONFIG)
  const isThere = zip.entries.has(METADATA)
  const metadata = isThere ? await jsonEntry(window, zip, METADATA) : undefined
  return { config, version: field(metadata, 'keras_version') ?? '3' }
}

async function jsonEntry(window: FileWindow, zip: ZipEntries, name: string): Promise<unknown> {
  const entry = soundEntry(window.name, zip, name)
  if (entry.uncompressedSize > MAX_CONFIG_BYTES) {
    throw loadError(
      `In ${window.name}, ${name} has ${entry.uncompressedSize} bytes, the limit is ${MAX_CONFIG_BYTES}.`,
    )
  }
  const chunks: Buffer[] = []
  for await (const chunk of entryChunks(window.name, zip, entry)) chunks.push(chunk)
  return parseJson(Buffer.concat(chunks), `The ${name} in ${window.name}`)
}

/**
 * The HDF5 file in a .keras file. Keras stores it uncompressed, so it is read in place. A compressed one is unpacked
 * into a temporary file, which `close` frees.
 */
export async function zipWeights(
  window: FileWindow,
  tmpDir: string = tmpdir(),
): Promise<{ weights: FileWindow; close(): void }> {
  const zip = await readEntries(window)
  const entry = soundEntry(window.name, zip, WEIGHTS)
  const name = `${WEIGHTS} in ${window.name}`
  const start = await storedAt(window.name, zip, entry)
  if (start === undefined) return unpack(window.name, zip, name, tmpDir)
  await eachChunk(window.name, zip, () => undefined)
  const weights = { name, fd: window.fd, start: window.start + start, size: entry.uncompressedSize }
  return { weights, close: () => undefined }
}

async function unpack(file: string, zip: ZipEntries, name: string, tmpDir: string) {
  const fd = nameless(tmpDir)
  let size = 0
  try {
    await eachChunk(file, zip, (chunk) => {
      for (let done = 0; done < chunk.length; ) done += writeSync(fd, chunk, done)
      size += chunk.length
    })
  } catch (error) {
    closeSync(fd)
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ENOSPC') throw error
    throw loadError(`There is no room in ${tmpDir} to unpack ${name}.`, error)
  }
  return { weights: { name, fd, start: 0, size }, close: () => closeSync(fd) }
}

/** A file that is removed from its folder while open, so that a process that is killed leaves nothing behind. */
function nameless(tmpDir: string): number {
  const path = join(tmpDir, `tandem-${randomUUID()}.h5`)
  try {
    const fd = openSync(path, 'wx+', 0o600)
    unlinkSync(path)
    return fd
  } catch (cause) {
    throw loadError(`No temporary file can be made in ${tmpDir} to unpack the model.`, cause)
  }
}

async function eachChunk(file: string, zip: ZipEntries, take: (chunk: Buffer) => void): Promise<void> {
  const entry = soundEntry(file, zip, WEIGHTS)
  let first = true
  for await (const chunk of entryChunks(file, zip, entry)) {
    // The first chunk shows whether the rest is worth unpacking.
    if (first && !isHdf5(chunk)) break
    first = false
    take(chunk)
  }
  if (first) throw loadError(`In ${file}, the entry ${WEIGHTS} is no HDF5 file.`)
}

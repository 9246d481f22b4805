import { tmpdir } from 'node:os'
import { KERAS_FILE, TFJS_FILE } from '../../models/find-model.ts'
import type { FileWindow } from '../source/file-window.ts'
import { loadError } from '../source/model-file-error.ts'
import { isHdf5 } from '../source/model-format.ts'
import { field, parseJson } from '../source/parse-json.ts'
import { entryBytes, type UnpackedEntry, unpackEntry } from '../source/unpack-entry.ts'
import { readEntries, soundEntry, type ZipEntries } from '../source/zip-entries.ts'

const CONFIG = 'config.json'
const METADATA = 'metadata.json'
const WEIGHTS = 'model.weights.h5'
/** The limit of a topology in all formats. That of ResNet152 has 0.4 MB. */
const MAX_CONFIG_BYTES = 32 * 2 ** 20

/** The topology in a .keras file, and the version of Keras that wrote the file. */
export async function zipConfig(window: FileWindow): Promise<{ config: unknown; version: unknown }> {
  const zip = await readEntries(window)
  if (!zip.entries.has(CONFIG))
    throw loadError(
      `${window.name} has no entry ${CONFIG}, which a .keras file must have, and neither ${TFJS_FILE} nor ${KERAS_FILE}, which a download from Teachable Machine has.`,
    )
  soundEntry(window.name, zip, CONFIG)
  soundEntry(window.name, zip, WEIGHTS)
  const config = await jsonEntry(window, zip, CONFIG)
  const isThere = zip.entries.has(METADATA)
  const metadata = isThere ? await jsonEntry(window, zip, METADATA) : undefined
  return { config, version: field(metadata, 'keras_version') ?? '3' }
}

async function jsonEntry(window: FileWindow, zip: ZipEntries, name: string): Promise<unknown> {
  const bytes = await entryBytes(window.name, zip, name, MAX_CONFIG_BYTES)
  return parseJson(bytes, `The ${name} in ${window.name}`)
}

/** The HDF5 file in a .keras file. Keras stores it uncompressed, so it is read in place. */
export async function zipWeights(window: FileWindow, tmpDir: string = tmpdir()): Promise<UnpackedEntry> {
  return zippedHdf5(window, await readEntries(window), WEIGHTS, tmpDir)
}

/** An HDF5 file in a ZIP. */
export function zippedHdf5(
  file: FileWindow,
  zip: ZipEntries,
  entry: string,
  tmpDir: string = tmpdir(),
): Promise<UnpackedEntry> {
  return unpackEntry({
    file,
    zip,
    entry,
    tmpDir,
    check(head) {
      if (!isHdf5(head)) throw loadError(`In ${file.name}, the entry ${entry} is no HDF5 file.`)
    },
  })
}

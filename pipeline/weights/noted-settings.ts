import { closeSync, statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { KERAS_FILE, TFJS_FILE } from '../models/find-model.ts'
import type { ModelSettings } from '../models/model-settings.ts'
import { exporterNotes } from './onnx/exporter-notes.ts'
import { onnxOutline } from './onnx/onnx-outline.ts'
import { openWindow } from './source/file-window.ts'
import { locate } from './source/locate-model.ts'
import { detectContainer } from './source/model-format.ts'
import {
  LABELS_FILE,
  MAX_NOTE_BYTES,
  METADATA_FILE,
  numberedLabels,
  teachableMachine,
} from './teachable-machine.ts'

/** The settings that lie in a model's own files: an exporter's metadata, or those of Teachable Machine. */
export async function notedSettings(path: string): Promise<ModelSettings> {
  const its = statSync(path, { throwIfNoEntry: false })
  if (its?.isDirectory()) return settingsIn(path)
  if (!its?.isFile()) return {}
  switch (containerOf(path)) {
    case 'onnx':
      return exporterNotes(onnxOutline(path).metadata)
    case 'zip':
      return zippedSettings(path)
    case 'hdf5':
      return basename(path) === KERAS_FILE
        ? numberedLabels(await noteIn(join(dirname(path), LABELS_FILE)))
        : {}
    default:
      return {}
  }
}

async function settingsIn(folder: string): Promise<ModelSettings> {
  const isKeras = basename(locate(folder).file) === KERAS_FILE
  if (isKeras) return numberedLabels(await noteIn(join(folder, LABELS_FILE)))
  return teachableMachine(await noteIn(join(folder, METADATA_FILE)))
}

function containerOf(path: string): string | undefined {
  const window = openWindow(path, basename(path))
  try {
    return detectContainer(window)
  } catch {
    // The caller will open the file too, and say what is wrong.
    return undefined
  } finally {
    closeSync(window.fd)
  }
}

async function noteIn(file: string): Promise<string | undefined> {
  const its = statSync(file, { throwIfNoEntry: false })
  if (!its?.isFile() || its.size > MAX_NOTE_BYTES) return undefined
  return readFile(file, 'utf8').catch(() => undefined)
}

async function zippedSettings(path: string): Promise<ModelSettings> {
  // Imported here, since most models are not in a ZIP.
  const { readEntries } = await import('./source/zip-entries.ts')
  const { entryBytes, entryNamed } = await import('./source/unpack-entry.ts')
  const window = openWindow(path, basename(path))
  try {
    const zip = await readEntries(window)
    const textOf = async (name: string) => {
      const entry = entryNamed(zip, name)
      return entry && (await entryBytes(window.name, zip, entry, MAX_NOTE_BYTES)).toString('utf8')
    }
    if (entryNamed(zip, KERAS_FILE) !== undefined) return numberedLabels(await textOf(LABELS_FILE))
    return entryNamed(zip, TFJS_FILE) === undefined ? {} : teachableMachine(await textOf(METADATA_FILE))
  } finally {
    closeSync(window.fd)
  }
}

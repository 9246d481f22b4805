import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { savedName } from '../engines/onnx/saved-graph.ts'
import { isWhole, markUsed } from '../graph/whole-folder.ts'
import { formNamed } from '../graph/winograd/form.ts'
import { modelIn } from '../graph/write-model.ts'

/*
 * What measurements on this machine have found about a compiled model. The result is a folder inside that of the model:
 * the tuning, and the tuned graph if it is faster than the direct one.
 */

export interface Tuning {
  /** The number of convolutions of the model. */
  readonly convolutions: number
  /** The convolutions by Winograd's way. Empty if the direct graph is the fastest. */
  readonly layers: readonly TunedLayer[]
  /** Milliseconds for one image: of the direct graph, and of the tuned one. */
  readonly directMs: number
  readonly ms: number
  /** The largest difference between the answers of both graphs, relative to the largest number. */
  readonly difference: number
  /** How long batches of some sizes take. */
  readonly batches: readonly BatchTime[]
}

export interface TunedLayer {
  readonly name: string
  readonly form: string
  /** Milliseconds of the layer alone, directly and in this form. */
  readonly directMs: number
  readonly ms: number
}

export interface BatchTime {
  readonly size: number
  readonly ms: number
}

export interface TuningKey {
  readonly modelPath: string
  readonly threads: number
  readonly winograd: 'auto' | 'off'
}

export const TUNING_FILE = 'tuning.json'

/** The times depend on the CPU and on the number of threads. */
export function tuningFolder({ modelPath, threads, winograd }: TuningKey): string {
  const what = winograd === 'auto' ? 'tuned' : 'direct'
  return join(dirname(modelPath), `${savedName()}-${what}-${threads}`)
}

export interface Tuned {
  readonly tuning: Tuning
  readonly folder: string
  /** The tuned graph; undefined if the direct graph is the fastest. */
  readonly modelPath: string | undefined
}

/** Undefined if the model has not been tuned on a machine like this one, or if a file of the result is damaged. */
export async function readTuned(key: TuningKey): Promise<Tuned | undefined> {
  const folder = tuningFolder(key)
  if (!(await isWhole(folder))) return undefined
  const tuning = await readTuning(join(folder, TUNING_FILE))
  if (tuning === undefined) return undefined
  await markUsed(folder)
  return { tuning, folder, modelPath: tuning.layers.length > 0 ? modelIn(folder).modelPath : undefined }
}

async function readTuning(path: string): Promise<Tuning | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(path, 'utf8'))
    return isTuning(value) ? value : undefined
  } catch {
    return undefined
  }
}

function isTuning(value: unknown): value is Tuning {
  if (!isRecord(value)) return false
  const { convolutions, layers, directMs, ms, difference, batches } = value
  return (
    [convolutions, directMs, ms, difference].every(isAmount) &&
    Array.isArray(layers) &&
    layers.every(isLayer) &&
    Array.isArray(batches) &&
    batches.every((batch) => isRecord(batch) && isAmount(batch.size) && isAmount(batch.ms))
  )
}

function isLayer(layer: unknown): boolean {
  if (!isRecord(layer) || typeof layer.name !== 'string' || typeof layer.form !== 'string') return false
  return formNamed(layer.form) !== undefined && [layer.directMs, layer.ms].every(isAmount)
}

const isAmount = (value: unknown): boolean =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

/** One sentence for the log and for pages; undefined if nothing was changed. */
export function tuningSentence({ layers, convolutions, directMs, ms }: Tuning): string | undefined {
  if (layers.length === 0) return undefined
  const times = (directMs / ms).toFixed(2)
  return `${layers.length} of ${convolutions} convolutions by Winograd's way, ${times} times as fast as without by a measurement on this machine`
}

import { HttpError } from '../http/errors.ts'

/** The output of a model without classes: a vector, or a map with a vector in each place. */
export interface Features {
  readonly shape: readonly number[]
  readonly values: Float32Array
}

/** The features in the answer of a pipeline; undefined if the answer is something else. */
export function featuresIn(value: unknown): Features | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { shape, values } = value as { shape?: unknown; values?: unknown }
  if (!Array.isArray(shape) || !shape.every((length) => Number.isInteger(length) && length > 0))
    return undefined
  const numbers = numbersIn(values)
  const expected = shape.reduce((product: number, length: number) => product * length, 1)
  if (numbers === undefined || numbers.length !== expected) return undefined
  return { shape, values: numbers }
}

/** For routes that can answer only with features. */
export function mustHaveFeatures({
  model,
  value,
}: {
  readonly model: string
  readonly value: unknown
}): Features {
  const features = featuresIn(value)
  if (features) return features
  throw noFeatures(model)
}

export function noFeatures(model: string): HttpError {
  return new HttpError(
    'ERR_MODEL_KIND',
    `The model "${model}" does not answer with features: a model does with "kind": "features" in its settings.`,
  )
}

/** As JSON, 100,000 numbers take about 40 ms of the web process, in which no other request is served. */
export const MOST_JSON_NUMBERS = 100_000

/** The numbers for JSON. */
export function jsonNumbers({ values }: Features): number[] {
  if (values.length <= MOST_JSON_NUMBERS) return [...values]
  throw new HttpError(
    'ERR_NOT_ACCEPTABLE',
    `The model answers with ${values.length} numbers, and JSON may have ${MOST_JSON_NUMBERS}: POST /embed with "Accept: application/octet-stream" answers in bytes, and /embed?pool=mean with the mean.`,
  )
}

/** The mean over all places of a map: one vector. A vector stays as it is. */
export function pooled({ shape, values }: Features): Features {
  const length = shape.at(-1) ?? 1
  const places = values.length / length
  const sums = new Float64Array(length)
  for (const [i, value] of values.entries()) sums[i % length] = (sums[i % length] ?? 0) + value
  return { shape: [length], values: Float32Array.from(sums, (sum) => sum / places) }
}

/** Divided by the length of the vector. A vector of zeros has no direction and stays as it is. */
export function normalized({ shape, values }: Features): Features {
  const length = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0))
  return length === 0 ? { shape, values } : { shape, values: values.map((value) => value / length) }
}

/** The numbers in the order of bytes that /embed answers with: the lowest byte first. */
export function littleEndian({ values }: Features): Buffer {
  const bytes = Buffer.alloc(4 * values.length)
  for (const [i, value] of values.entries()) bytes.writeFloatLE(value, 4 * i)
  return bytes
}

/** The built-in pipeline sends bytes; a pipeline of the user may send a list of numbers. */
function numbersIn(values: unknown): Float32Array | undefined {
  if (values instanceof Uint8Array) return fromBytes(values)
  const areNumbers = Array.isArray(values) && values.every((value) => typeof value === 'number')
  return areNumbers ? Float32Array.from(values) : undefined
}

/** A loop, since a map has a hundred thousand numbers: Float32Array.from takes ten times as long. */
function fromBytes(bytes: Uint8Array): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const values = new Float32Array(Math.floor(bytes.length / 4))
  for (let i = 0; i < values.length; i++) values[i] = view.getFloat32(4 * i, true)
  return values
}

import type { Engine } from './engines/engine.ts'
import { grey } from './image/grey.ts'
import { readDigit } from './image/read-digit.ts'
import { type ImageOptions, readImage } from './image/read-image.ts'
import type { Label } from './models/labels.ts'
import { topIndices } from './top-indices.ts'

/** One guess. `label` is the first synonym as people write it, `name` is what Keras calls the class. */
export interface Prediction {
  index: number
  label: string
  name: string
  full: string
  wnid?: string
  probability: number
}

/**
 * What can be sent to `predict`: the bytes of an image, alone or with the guesses that are wanted: how many at most, and
 * above which probability. A number beyond the classes asks for them all.
 */
export type ImageInput = Uint8Array | { image: Uint8Array; top?: number; above?: number }

export interface Prepared {
  pixels: Uint8Array
  top: number
  above: number
}

export interface ClassifierParts {
  engine: Engine
  labels: readonly Label[]
  image: ImageOptions
  /** How many guesses an answer has, unless its call says otherwise. */
  top: number
}

/** The two steps of a prediction, for any model that looks at one image and has one number for each label. */
export function imageClassifier({ engine, labels, image, top }: ClassifierParts) {
  const channels = engine.inputShape[2] ?? 3
  const size = image.height * image.width * channels
  return {
    async prepare(input: ImageInput): Promise<Prepared> {
      const { bytes, wanted, above } = read(input, top)
      const pixels = await readPixels(bytes, image, channels)
      return { pixels, top: Math.min(wanted, labels.length), above }
    },

    async predict(batch: readonly Prepared[]): Promise<Prediction[][]> {
      const pixels = new Uint8Array(batch.length * size)
      for (const [row, prepared] of batch.entries()) pixels.set(prepared.pixels, row * size)
      const scores = await engine.run(pixels, batch.length)
      return batch.map(({ top, above }, row) => {
        const its = scores.subarray(row * labels.length, (row + 1) * labels.length)
        const best = topIndices(its, top)
        const wanted = above < 0 ? best : best.filter((index) => (its[index] ?? 0) > above)
        return wanted.map((index) => prediction(labels, its, index))
      })
    },

    close: () => engine.close(),
  }
}

async function readPixels(bytes: Uint8Array, image: ImageOptions, channels: number): Promise<Uint8Array> {
  if (image.subject !== 'digit') {
    const colours = await readImage(bytes, image)
    return channels === 1 ? grey(colours) : colours
  }
  const digit = await readDigit(bytes, image)
  return Uint8Array.from({ length: digit.length * channels }, (_, i) => digit[Math.floor(i / channels)] ?? 0)
}

function read(input: ImageInput, otherwise: number): { bytes: Uint8Array; wanted: number; above: number } {
  const { image, top = otherwise, above = -1 } = input instanceof Uint8Array ? { image: input } : input
  const isCount = Number.isInteger(top) && top > 0
  if (image instanceof Uint8Array && isCount && typeof above === 'number') {
    return { bytes: image, wanted: top, above }
  }
  throw new TypeError(
    'An input of the classifier is bytes, or { image: bytes, top?: a whole number above 0, above?: a probability }.',
  )
}

function prediction(labels: readonly Label[], scores: Float32Array, index: number): Prediction {
  const probability = scores[index] ?? Number.NaN
  const { wnid, name = String(index), first = name, full = first } = labels[index] ?? {}
  return { index, label: first, name, full, ...(wnid === undefined ? {} : { wnid }), probability }
}

import type { PrepareContext } from '../broker/pipeline.ts'
import type { Engine } from './engines/engine.ts'
import { readDigit } from './image/digit/read-digit.ts'
import { grey } from './image/grey.ts'
import { type ImageOptions, readImage } from './image/read-image.ts'
import type { Label } from './models/labels.ts'
import { topIndices } from './top-indices.ts'

/** One guess. `label` is the first synonym, with spaces; `name` is Keras' name of the class, with underscores. */
export interface Prediction {
  index: number
  label: string
  name: string
  full: string
  wnid?: string
  probability: number
}

/**
 * The input of `predict`: the bytes of an image, alone or with the number of guesses to answer with. A number above the
 * number of classes gives all of them.
 */
export type ImageInput = Uint8Array | { image: Uint8Array; top?: number }

export interface Prepared {
  /** Undefined when the picture shows no digit: the model is not run, and all classes are equally likely. */
  pixels: Uint8Array | undefined
  top: number
}

export interface ClassifierParts {
  engine: Engine
  labels: readonly Label[]
  image: ImageOptions
  /** The number of guesses in an answer, unless the call gives another. */
  top: number
}

/** The two steps of a prediction, for any model that takes one image and gives one number for each label. */
export function imageClassifier({ engine, labels, image, top }: ClassifierParts) {
  const channels = engine.inputShape[2] ?? 3
  const size = image.height * image.width * channels
  const even = new Float32Array(labels.length).fill(1 / labels.length)

  /** The scores for each image of the batch; undefined for an image without pixels. */
  async function scoresOf(batch: readonly Prepared[]): Promise<(Float32Array | undefined)[]> {
    const shown = batch.flatMap(({ pixels }) => (pixels ? [pixels] : []))
    if (shown.length === 0) return []
    const pixels = new Uint8Array(shown.length * size)
    for (const [row, image] of shown.entries()) pixels.set(image, row * size)
    const scores = await engine.run(pixels, shown.length)
    let row = 0
    return batch.map(({ pixels }) =>
      pixels ? scores.subarray(row++ * labels.length, row * labels.length) : undefined,
    )
  }

  return {
    async prepare(input: ImageInput, context?: PrepareContext): Promise<Prepared> {
      const { bytes, wanted } = read(input, top)
      const pixels = await readPixels(bytes, { ...image, started: context?.started }, channels)
      return { pixels, top: Math.min(wanted, labels.length) }
    },

    async predict(batch: readonly Prepared[]): Promise<Prediction[][]> {
      const scores = await scoresOf(batch)
      return batch.map(({ top }, row) => {
        const own = scores[row] ?? even
        return topIndices(own, top).map((index) => prediction(labels, own, index))
      })
    },

    close: () => engine.close(),
  }
}

async function readPixels(bytes: Uint8Array, image: ImageOptions, channels: number) {
  if (image.subject !== 'digit') {
    const colours = await readImage(bytes, image)
    return channels === 1 ? grey(colours) : colours
  }
  const digit = await readDigit(bytes, image)
  if (!digit) return undefined
  return Uint8Array.from({ length: digit.length * channels }, (_, i) => digit[Math.floor(i / channels)] ?? 0)
}

function read(input: ImageInput, otherwise: number): { bytes: Uint8Array; wanted: number } {
  const { image, top = otherwise } = input instanceof Uint8Array ? { image: input } : input
  if (image instanceof Uint8Array && Number.isInteger(top) && top > 0) return { bytes: image, wanted: top }
  throw new TypeError(
    'An input of the classifier is bytes, or { image: bytes, top?: a whole number above 0 }.',
  )
}

function prediction(labels: readonly Label[], scores: Float32Array, index: number): Prediction {
  const probability = scores[index] ?? Number.NaN
  const { wnid, name = String(index), first = name, full = first } = labels[index] ?? {}
  return { index, label: first, name, full, ...(wnid === undefined ? {} : { wnid }), probability }
}

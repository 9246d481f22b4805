import type { PrepareContext } from '../broker/pipeline.ts'
import type { Engine } from './engines/engine.ts'
import { classScores } from './facts/class-scores.ts'
import type { ImageInput } from './facts/image-input.ts'
import type { OutputFacts } from './facts/output-facts.ts'
import type { ImageOptions } from './image/read-image.ts'
import type { Label } from './models/labels.ts'
import { type ModelInput, readInput, readPixels } from './read-input.ts'
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

export interface Prepared {
  /** Undefined when the picture shows no digit: the model is not run, and all classes are equally likely. */
  pixels: Uint8Array | undefined
  top: number
}

export interface ClassifierParts {
  engine: Engine
  labels: readonly Label[]
  image: ImageOptions & Pick<ImageInput, 'channels'>
  output: OutputFacts
  /** The number of guesses in an answer, unless the call gives another. */
  top: number
}

/** The two steps of a prediction, for any model that takes one image and gives one number for each class. */
export function imageClassifier({ engine, labels, image, output, top }: ClassifierParts) {
  const size = image.height * image.width * image.channels
  const even = new Float32Array(labels.length).fill(1 / labels.length)

  /** The scores for each image of the batch; undefined for an image without pixels. */
  async function scoresOf(batch: readonly Prepared[]): Promise<(Float32Array | undefined)[]> {
    const shown = batch.flatMap(({ pixels }) => (pixels ? [pixels] : []))
    if (shown.length === 0) return []
    const pixels = new Uint8Array(shown.length * size)
    for (const [row, image] of shown.entries()) pixels.set(image, row * size)
    const { outputSize } = engine
    const numbers = await engine.run(pixels, shown.length)
    let row = 0
    return batch.map(({ pixels }) => {
      if (!pixels) return undefined
      const own = numbers.subarray(row++ * outputSize, row * outputSize)
      return classScores(own, output, labels.length)
    })
  }

  return {
    async prepare(input: ModelInput, context?: PrepareContext): Promise<Prepared> {
      const { bytes, wanted } = readInput(input, top)
      const pixels = await readPixels(bytes, { ...image, started: context?.started }, image.channels)
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

function prediction(labels: readonly Label[], scores: Float32Array, index: number): Prediction {
  const probability = scores[index] ?? Number.NaN
  const { wnid, name = String(index), first = name, full = first } = labels[index] ?? {}
  return { index, label: first, name, full, ...(wnid === undefined ? {} : { wnid }), probability }
}

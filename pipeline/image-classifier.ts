import type { PrepareContext } from '../broker/pipeline.ts'
import type { Engine } from './engines/engine.ts'
import { classScores } from './facts/class-scores.ts'
import type { ImageInput } from './facts/image-input.ts'
import type { OutputFacts } from './facts/output-facts.ts'
import type { ImageOptions } from './image/read-image.ts'
import type { Label } from './models/labels.ts'
import { type OtherNumbers, otherNumbers } from './other-numbers.ts'
import type { Prediction } from './prediction.ts'
import { type ModelInput, readInput, readPixels } from './read-input.ts'
import { topIndices } from './top-indices.ts'

export interface Prepared {
  /** Undefined when the picture shows no digit: the model is not run, and all classes are equally likely. */
  pixels: Uint8Array | undefined
  top: number
}

/** The answer of a model that has several outputs: the guesses are those of the served one. */
export interface SeveralOutputs {
  predictions: Prediction[]
  outputs: OtherNumbers
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
export function imageClassifier(parts: ClassifierParts) {
  const { prepare, answers, close } = steps(parts)
  return {
    prepare,
    predict: (batch: readonly Prepared[]): Promise<Prediction[][]> =>
      answers(batch, (predictions) => predictions),
    close,
  }
}

/** The same for a model with several outputs. */
export function classifierOfSeveral(parts: ClassifierParts) {
  const { prepare, answers, close } = steps(parts)
  const none: OtherNumbers = {}
  return {
    prepare,
    predict: (batch: readonly Prepared[]): Promise<SeveralOutputs[]> =>
      answers(batch, (predictions, row) => ({
        predictions,
        outputs: row ? otherNumbers(parts.engine, row) : none,
      })),
    close,
  }
}

function steps({ engine, labels, image, output, top }: ClassifierParts) {
  const size = image.height * image.width * image.channels
  const even = new Float32Array(labels.length).fill(1 / labels.length)

  /** The numbers for each image of the batch; undefined for an image without pixels. */
  async function rowsOf(batch: readonly Prepared[]): Promise<(Float32Array | undefined)[]> {
    const shown = batch.flatMap(({ pixels }) => (pixels ? [pixels] : []))
    if (shown.length === 0) return []
    const { rowSize } = engine
    const numbers = await engine.run(joined(shown, size), shown.length)
    let row = 0
    return batch.map(({ pixels }) => {
      if (!pixels) return undefined
      return numbers.subarray(row++ * rowSize, row * rowSize)
    })
  }

  return {
    async prepare(input: ModelInput, context?: PrepareContext): Promise<Prepared> {
      const { bytes, wanted } = readInput(input, top)
      const pixels = await readPixels(bytes, { ...image, started: context?.started }, image.channels)
      return { pixels, top: Math.min(wanted, labels.length) }
    },

    async answers<Answer>(
      batch: readonly Prepared[],
      answer: (predictions: Prediction[], row: Float32Array | undefined) => Answer,
    ): Promise<Answer[]> {
      const rows = await rowsOf(batch)
      return batch.map(({ top }, at) => {
        const row = rows[at]
        const scores = row ? classScores(row.subarray(0, engine.outputSize), output, labels.length) : even
        return answer(
          topIndices(scores, top).map((index) => prediction(labels, scores, index)),
          row,
        )
      })
    },

    close: () => engine.close(),
  }
}

/** The images one after the other. A single image is not copied. */
function joined(images: readonly Uint8Array[], size: number): Uint8Array {
  const [first] = images
  if (first && images.length === 1) return first
  const pixels = new Uint8Array(images.length * size)
  for (const [at, image] of images.entries()) pixels.set(image, at * size)
  return pixels
}

function prediction(labels: readonly Label[], scores: Float32Array, index: number): Prediction {
  const probability = scores[index] ?? Number.NaN
  const { wnid, name = String(index), first = name, full = first } = labels[index] ?? {}
  return { index, label: first, name, full, ...(wnid === undefined ? {} : { wnid }), probability }
}

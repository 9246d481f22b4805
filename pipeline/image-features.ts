import type { PrepareContext } from '../broker/pipeline.ts'
import type { Engine } from './engines/engine.ts'
import type { ImageInput } from './facts/image-input.ts'
import type { ImageOptions } from './image/read-image.ts'
import { type OtherNumbers, otherNumbers } from './other-numbers.ts'
import { type ModelInput, readInput, readPixels } from './read-input.ts'

/** The output of a model as it is: one vector, or a map with a vector in each place. */
export interface Features {
  readonly shape: readonly number[]
  /** Floats of 32 bits, the lowest byte first: a form that every process and host can send. */
  readonly values: Uint8Array
  /** Of the other outputs, if the model has several. */
  readonly outputs?: OtherNumbers
}

export interface FeatureParts {
  engine: Engine
  image: ImageOptions & Pick<ImageInput, 'channels'>
}

/** The two steps for a model whose output has no classes. */
export function imageFeatures({ engine, image }: FeatureParts) {
  const size = image.height * image.width * image.channels
  return {
    async prepare(input: ModelInput, context?: PrepareContext): Promise<Uint8Array> {
      const { bytes } = readInput(input, 1)
      const pixels = await readPixels(bytes, { ...image, started: context?.started }, image.channels)
      return pixels ?? new Uint8Array(size)
    },

    async predict(batch: readonly Uint8Array[]): Promise<Features[]> {
      const pixels = new Uint8Array(batch.length * size)
      for (const [row, image] of batch.entries()) pixels.set(image, row * size)
      const { outputSize, outputShape, others, rowSize } = engine
      const numbers = await engine.run(pixels, batch.length)
      return batch.map((_, at) => {
        const row = numbers.subarray(at * rowSize, (at + 1) * rowSize)
        const features = { shape: [...outputShape], values: littleEndian(row.subarray(0, outputSize)) }
        return others.length === 0 ? features : { ...features, outputs: otherNumbers(engine, row) }
      })
    },

    close: () => engine.close(),
  }
}

function littleEndian(numbers: Float32Array): Uint8Array {
  const bytes = new Uint8Array(4 * numbers.length)
  const view = new DataView(bytes.buffer)
  for (const [i, value] of numbers.entries()) view.setFloat32(4 * i, value, true)
  return bytes
}

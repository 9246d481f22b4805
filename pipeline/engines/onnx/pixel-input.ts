import type { Preprocessing } from '../../graph/preprocessing.ts'
import type { Engine } from '../engine.ts'
import { inputNumbers } from '../input-numbers.ts'
import type { OnnxEngine } from './onnx.ts'

/**
 * An engine that takes pixels, whatever the input of its model is. A compiled model takes the bytes unchanged and does
 * the preprocessing itself; a user's ONNX file may take floats, or one plane after the other. A map that such a model
 * answers with has one plane after the other too, and becomes pixel by pixel, as in all other models.
 */
export function pixelInput(engine: OnnxEngine, preprocessing: Preprocessing): Engine {
  const { type, order, shape } = engine.input
  if (type === 'uint8' && order === 'nhwc') return engine
  const { outputShape, outputSize, rowSize } = engine
  const [depth = 1, rows = 1, columns = 1] = outputShape
  const isMap = order === 'nchw' && outputShape.length === 3
  const numbersOf =
    type === 'float32' ? inputNumbers(shape, 'uint8', preprocessing) : (pixels: Uint8Array) => pixels
  return {
    ...engine,
    ...(isMap && { outputShape: [rows, columns, depth] }),
    async run(pixels, n) {
      const numbers = numbersOf(pixels)
      const ordered = order === 'nchw' ? planes(numbers, shape, n) : numbers
      const answer = await engine.run(
        new Uint8Array(ordered.buffer, ordered.byteOffset, ordered.byteLength),
        n,
      )
      for (let at = 0; isMap && at < answer.length; at += rowSize) {
        const map = answer.subarray(at, at + outputSize)
        // Exchanging the two axes of a matrix: planes of places become places of channels.
        map.set(planes(map, [1, depth, rows * columns], 1))
      }
      return answer
    },
  }
}

/** Reorders from pixel by pixel to plane by plane. */
function planes<Numbers extends Uint8Array | Float32Array>(
  numbers: Numbers,
  shape: readonly number[],
  n: number,
): Numbers {
  const [height = 1, width = 1, channels = 1] = shape
  const area = height * width
  const result = numbers.slice() as Numbers
  for (let image = 0; image < n; image++) {
    const base = image * area * channels
    for (let pixel = 0; pixel < area; pixel++) {
      for (let channel = 0; channel < channels; channel++) {
        result[base + channel * area + pixel] = numbers[base + pixel * channels + channel] ?? 0
      }
    }
  }
  return result
}

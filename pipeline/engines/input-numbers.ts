import { PipelineError } from '../errors.ts'
import type { Preprocessing } from '../graph/preprocessing.ts'

/** The type of the numbers in the input's bytes; floats are in the byte order of this machine. */
export type InputType = 'uint8' | 'float32'

/** Means of ImageNet's channels B, G, R, on a scale of 0 to 255, that Caffe's networks were trained with. */
const CAFFE_MEANS = [103.939, 116.779, 123.68] as const
/** Means and deviations of ImageNet's channels R, G, B, on a scale of 0 to 1. */
const TORCH_MEANS = [0.485, 0.456, 0.406] as const
const TORCH_DEVIATIONS = [0.229, 0.224, 0.225] as const

/** A function that turns the bytes given to an engine into the numbers that the network was trained with. */
export function inputNumbers(
  shape: readonly number[],
  type: InputType,
  preprocessing: Preprocessing,
): (bytes: Uint8Array) => Float32Array {
  const isColour = shape.length === 3 && shape[2] === 3
  if ((preprocessing === 'caffe' || preprocessing === 'torch') && !isColour) {
    throw new PipelineError(
      'ERR_MODEL_SETTINGS',
      `Preprocessing '${preprocessing}' is for images of three channels; the model's input is [${shape.join(', ')}].`,
    )
  }
  return (bytes) => {
    const values = type === 'uint8' ? Float32Array.from(bytes) : floatsOf(bytes)
    CHANGES[preprocessing](values)
    return values
  }
}

/** A copy: a view would need an offset that is a multiple of four, and CHANGES would change the caller's bytes. */
function floatsOf(bytes: Uint8Array): Float32Array {
  return new Float32Array(Uint8Array.from(bytes).buffer)
}

const CHANGES: Readonly<Record<Preprocessing, (values: Float32Array) => void>> = {
  none: () => undefined,
  unit: (values) => each(values, (value) => value / 255),
  tf: (values) => each(values, (value) => value / 127.5 - 1),
  'teachable-machine': (values) => each(values, (value) => value / 127 - 1),
  caffe(values) {
    for (let i = 0; i < values.length; i += 3) {
      const [red = 0, green = 0, blue = 0] = values.subarray(i, i + 3)
      values[i] = blue - CAFFE_MEANS[0]
      values[i + 1] = green - CAFFE_MEANS[1]
      values[i + 2] = red - CAFFE_MEANS[2]
    }
  },
  torch: (values) =>
    each(values, (value, i) => {
      const channel = (i % 3) as 0 | 1 | 2
      return (value / 255 - TORCH_MEANS[channel]) / TORCH_DEVIATIONS[channel]
    }),
}

function each(values: Float32Array, change: (value: number, index: number) => number): void {
  for (let i = 0; i < values.length; i++) values[i] = change(values[i] ?? 0, i)
}

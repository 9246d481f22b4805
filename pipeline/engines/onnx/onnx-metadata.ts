import type { InferenceSession } from 'onnxruntime-node'
import { PipelineError } from '../../errors.ts'

/** The input of a model. A compiled model takes bytes, pixel by pixel; a user's ONNX file may take floats or planes. */
export interface ModelInput {
  readonly name: string
  readonly type: 'uint8' | 'float32'
  readonly order: 'nhwc' | 'nchw'
  /** [height, width, channels] whatever `order` is; [n] for a model that takes a row of numbers. */
  readonly shape: readonly number[]
  /** The model was exported with a batch of exactly one image. */
  readonly oneAtATime: boolean
}

type Metadata = readonly InferenceSession.ValueMetadata[]

export function modelInput(
  inputs: Metadata,
  path: string,
  imageSize?: readonly [number, number],
): ModelInput {
  const [only, another] = inputs
  if (!only?.isTensor || another) {
    throw unsupported(path, `it has ${inputs.length} inputs, and must have one tensor: an image`)
  }
  const { name, type } = only
  if (type !== 'uint8' && type !== 'float32')
    throw unsupported(path, `its input is of type ${type}, not uint8 or float32`)
  const [batch, ...axes] = only.shape
  if (typeof batch === 'number' && batch !== 1)
    throw unsupported(path, `it takes exactly ${batch} images at a time`)
  const order = orderOf(axes)
  const sizes = order === 'nchw' ? [axes[1], axes[2], axes[0]] : axes
  // A size that is a name or missing is variable: the settings decide.
  const shape = sizes.map((size, axis) =>
    typeof size === 'number' || sizes.length !== 3 ? size : (imageSize?.[axis] ?? size),
  )
  if (shape.length === 0 || !shape.every(isSize)) {
    throw unsupported(path, `its input is [${only.shape.join(', ')}]; the size of its images must be set`)
  }
  return { name, type, order, shape, oneAtATime: batch === 1 }
}

/** The number of scores that the first output has for one image. */
export function outputSize([first]: Metadata, path: string): number {
  if (!first?.isTensor || first.type !== 'float32')
    throw unsupported(path, 'its output is no tensor of type float32')
  const sizes = first.shape.slice(1)
  if (sizes.length > 0 && sizes.every(isSize)) return sizes.reduce((product, size) => product * size, 1)
  throw unsupported(
    path,
    `its output is [${first.shape.join(', ')}], not a fixed number of scores for each image`,
  )
}

/** Images have 1 to 4 channels and more than 4 rows: so the sizes tell nchw from nhwc. */
const MOST_CHANNELS = 4

function orderOf([first, , last]: readonly (number | string | undefined)[]): 'nhwc' | 'nchw' {
  const isChannels = (size: unknown) => isSize(size) && size <= MOST_CHANNELS
  return isChannels(first) && last !== undefined && !isChannels(last) ? 'nchw' : 'nhwc'
}

function isSize(size: unknown): size is number {
  return typeof size === 'number' && size > 0
}

function unsupported(path: string, what: string): PipelineError {
  return new PipelineError('ERR_MODEL_UNSUPPORTED', `${path} cannot be served: ${what}.`)
}

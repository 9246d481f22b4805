import type { InferenceSession } from 'onnxruntime-node'
import { PipelineError } from '../../errors.ts'
import { mustTakeFew } from '../size-limits.ts'

/** The input of a model. A compiled model takes bytes, pixel by pixel; a user's ONNX file may take floats or planes. */
export interface ModelInput {
  readonly name: string
  /** The type that `run` takes. Numbers of 16 bits are made from those of 32 bits. */
  readonly type: 'uint8' | 'float32'
  readonly half: boolean
  readonly order: 'nhwc' | 'nchw'
  /** [height, width, channels] whatever `order` is; [height, width] without channels; [n] for a row of numbers. */
  readonly shape: readonly number[]
  /** The number of images that the model takes at a time; undefined if any number. */
  readonly batch: number | undefined
  /** The model takes images of any size. */
  readonly anySize: boolean
}

/** What the graph tells where the input's own sizes are variable. */
export interface InputHints {
  readonly order?: 'nhwc' | 'nchw'
  readonly channels?: number
}

type Metadata = readonly InferenceSession.ValueMetadata[]

export function modelInput(
  inputs: Metadata,
  path: string,
  imageSize?: readonly [number, number],
  hints: InputHints = {},
): ModelInput {
  const [only, another] = inputs
  if (!only?.isTensor || another) {
    throw unsupported(path, `it has ${inputs.length} inputs, and must have one tensor: an image`)
  }
  const { name, type } = only
  if (type !== 'uint8' && type !== 'float32' && type !== 'float16')
    throw unsupported(path, `its input is of type ${type}, not uint8, float32 or float16`)
  const [batch, ...axes] = only.shape
  const order = orderOf(axes, hints)
  const sizes = order === 'nchw' ? [axes[1], axes[2], axes[0]] : axes
  // A size that is a name or missing is variable: the settings decide.
  const given = [...(imageSize ?? []), hints.channels ?? USUAL_CHANNELS]
  const isImage = sizes.length === 3
  const shape = sizes.map((size, axis) => (isSize(size) || !isImage || !imageSize ? size : given[axis]))
  if (shape.length === 0 || !shape.every(isSize)) {
    throw unsupported(path, `its input is [${only.shape.join(', ')}]; the size of its images must be set`)
  }
  mustTakeFew(shape, isSize(batch) ? batch : 1, path)
  return {
    name,
    type: type === 'uint8' ? 'uint8' : 'float32',
    half: type === 'float16',
    order,
    shape,
    batch: isSize(batch) ? batch : undefined,
    anySize: isImage && !(isSize(sizes[0]) && isSize(sizes[1])),
  }
}

/** One of several outputs, by its name or its place; the first by default. */
export function wantedOutput(
  outputs: Metadata,
  head: string | number | undefined = 0,
): InferenceSession.ValueMetadata {
  const wanted = typeof head === 'number' ? outputs[head] : outputs.find(({ name }) => name === head)
  if (wanted) return wanted
  const known = outputs.map(({ name }, i) => `${i} or ${JSON.stringify(name)}`).join(', ')
  throw new PipelineError(
    'ERR_MODEL_SETTINGS',
    `The model has no output ${JSON.stringify(head)}; "head" may be ${known}.`,
  )
}

/** The shape of an output for one image; undefined if only a run tells. */
export function outputShape(
  output: InferenceSession.ValueMetadata,
  path: string,
): readonly number[] | undefined {
  if (isOfFloats(output)) return knownShape(output)
  throw unsupported(path, `its output ${JSON.stringify(output.name)} is no tensor of type float32 or float16`)
}

export function isOfFloats(output: InferenceSession.ValueMetadata): boolean {
  return output.isTensor && (output.type === 'float32' || output.type === 'float16')
}

export function knownShape(output: InferenceSession.ValueMetadata): readonly number[] | undefined {
  const sizes = output.isTensor ? output.shape.slice(1) : []
  return sizes.length > 0 && sizes.every(isSize) ? sizes : undefined
}

/** Images have 1 to 4 channels and more than 4 rows: so the sizes tell nchw from nhwc. */
const MOST_CHANNELS = 4

const USUAL_CHANNELS = 3

function orderOf(axes: readonly (number | string | undefined)[], hints: InputHints): 'nhwc' | 'nchw' {
  const [first, , last] = axes
  const isChannels = (size: unknown) => isSize(size) && size <= MOST_CHANNELS
  // Most exporters with names for all sizes come from PyTorch.
  if (axes.length === 3 && !isSize(first) && !isSize(last)) return hints.order ?? 'nchw'
  // A name in the place of the channels of planes, whose sides are given.
  if (axes.length === 3 && !isSize(first) && !isChannels(last)) return 'nchw'
  return isChannels(first) && last !== undefined && !isChannels(last) ? 'nchw' : 'nhwc'
}

function isSize(size: unknown): size is number {
  return typeof size === 'number' && size > 0
}

export function unsupported(path: string, what: string): PipelineError {
  return new PipelineError('ERR_MODEL_UNSUPPORTED', `${path} cannot be served: ${what}.`)
}

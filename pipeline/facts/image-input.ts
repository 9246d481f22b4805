import { PipelineError } from '../errors.ts'
import type { ModelSettings } from '../models/model-settings.ts'

/** How an image becomes the input of a model: its pixels in rows, the channels of a pixel beside each other. */
export interface ImageInput {
  readonly height: number
  readonly width: number
  /** 1: grey; 3: red, green, blue; 4: the same with opacity. */
  readonly channels: 1 | 3 | 4
}

/** Used where the model takes images of any size, and the settings name none. */
export const USUAL_SIZE = [224, 224] as const

const CHANNELS = [1, 3, 4] as const
/** A shorter row of numbers holds measurements rather than pixels: the smallest digits in use have 8 × 8. */
const LEAST_PIXELS = 64

/**
 * The image behind an input of [height, width, channels], of [height, width], or of a row of pixels. The model takes the
 * numbers of all three in the same order.
 */
export function imageInput(shape: readonly number[], size: ModelSettings['size']): ImageInput {
  const input = shape.length === 1 ? fromRow(shape[0] ?? 0, size) : fromMap(shape)
  if (!input) throw noImage(shape)
  const { height, width } = input
  if (size && (size[0] !== height || size[1] !== width)) {
    throw new PipelineError(
      'ERR_MODEL_SETTINGS',
      `The setting "size" is [${size.join(', ')}], but the model takes images of [${height}, ${width}]: remove the setting.`,
    )
  }
  return input
}

function fromMap(shape: readonly number[]): ImageInput | undefined {
  const [height = 0, width = 0, depth = 1] = shape
  const channels = CHANNELS.find((candidate) => candidate === depth)
  if (shape.length > 3 || shape.length < 2 || channels === undefined) return undefined
  return { height, width, channels }
}

function fromRow(length: number, size: ModelSettings['size']): ImageInput | undefined {
  if (length < LEAST_PIXELS) return undefined
  for (const channels of CHANNELS) {
    if (size && size[0] * size[1] * channels === length) return { height: size[0], width: size[1], channels }
    const side = Math.sqrt(length / channels)
    if (!size && Number.isInteger(side)) return { height: side, width: side, channels }
  }
  const wanted = size ? `[${size.join(', ')}] with 1, 3 or 4 channels` : 'a square'
  throw new PipelineError(
    'ERR_MODEL_SETTINGS',
    `The model takes a row of ${length} numbers, which is no image of ${wanted}: set "size" to its [height, width].`,
  )
}

function noImage(shape: readonly number[]): PipelineError {
  return new PipelineError(
    'ERR_MODEL_UNSUPPORTED',
    `The model needs an input of ${shape.join(' × ')}, which is not an image with 1, 3 or 4 channels.`,
  )
}

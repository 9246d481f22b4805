import { PipelineError } from '../../errors.ts'
import { type ImageType, TYPE_NAMES } from './image-type.ts'

// The longest side of a JPEG. A PNG of one row may be millions of pixels wide, within any limit on pixels, and the
// tables of a resize grow with the longer side.
const MAX_SIDE = 65_535

/** Must be called before decoding: a header of a few bytes can declare gigabytes. */
export function checkSize(width: number, height: number, maxPixels: number): void {
  const size = `The image has ${width} × ${height} pixels`
  if (width * height > maxPixels) {
    throw new PipelineError(
      'ERR_IMAGE_TOO_LARGE',
      `${size}, ${width * height} in all; the limit is ${maxPixels}.`,
    )
  }
  if (Math.max(width, height) > MAX_SIDE) {
    throw new PipelineError('ERR_IMAGE_TOO_LARGE', `${size}; the limit for one side is ${MAX_SIDE}.`)
  }
}

/**
 * The limits on pixels alone do not bound the work: a file may have each pixel decoded a thousand times, or consist of a
 * million parts without a pixel.
 */
export function checkCount(type: ImageType, what: string, count: number, limit: number): void {
  if (count <= limit) return
  throw new PipelineError(
    'ERR_IMAGE_COST',
    `The ${TYPE_NAMES[type]} image would take too much work: it has ${count} ${what}; the limit is ${limit}.`,
  )
}

export function brokenImage(type: ImageType, what: string, cause?: unknown): PipelineError {
  return new PipelineError('ERR_IMAGE_DECODE', `The ${TYPE_NAMES[type]} image cannot be decoded: ${what}.`, {
    cause,
  })
}

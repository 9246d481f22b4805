import { PipelineError } from '../../errors.ts'
import { type ImageType, TYPE_NAMES } from './image-type.ts'

// What JPEG can hold along one side. A PNG may be millions of pixels wide and one high, within any limit on pixels;
// the tables of a resize grow with the side.
const MAX_SIDE = 65_535

/** Before anything is decoded: a few bytes of header can ask for gigabytes. */
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

export function brokenImage(type: ImageType, what: string, cause?: unknown): PipelineError {
  return new PipelineError('ERR_IMAGE_DECODE', `The ${TYPE_NAMES[type]} image cannot be decoded: ${what}.`, {
    cause,
  })
}

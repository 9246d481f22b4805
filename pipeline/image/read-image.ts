import { decodeImage } from './decode/decode-image.ts'
import { centered, stretched } from './scale/placement.ts'
import { resizeFilter } from './scale/resize-filter.ts'
import { resizeNearest } from './scale/resize-nearest.ts'

export interface ImageOptions {
  /** What the network wants. */
  readonly height: number
  readonly width: number
  readonly interpolation: 'nearest' | 'bilinear' | 'bicubic'
  /** The picture as it is, or the one digit on it, in one channel. */
  readonly subject?: 'picture' | 'digit'
  /** The whole image, whatever its shape, or the middle of it in its own shape. */
  readonly crop: 'stretch' | 'center'
  /** How much larger than its middle part the image is made before that is cut out, such as 256 / 224. */
  readonly cropRatio?: number
  /** Turn a photograph as its EXIF orientation says. */
  readonly orientation?: boolean
  /** Apply an embedded colour profile. Networks have mostly been trained without. */
  readonly colourProfile?: boolean
  /** An image that declares more is refused before it is decoded. */
  readonly maxPixels?: number
}

// A good camera's picture; three bytes each make 150 MB.
const MAX_PIXELS = 50_000_000

/** The bytes of an image file as a network wants them: RGB, height × width × 3, without padding. */
export async function readImage(bytes: Uint8Array, options: ImageOptions): Promise<Uint8Array> {
  const { interpolation, crop, cropRatio = 1, orientation = true, colourProfile = false } = options
  const { maxPixels = MAX_PIXELS } = options
  return decodeImage(bytes, { orientation, colourProfile, maxPixels }, (view) => {
    const placement = crop === 'center' ? centered(view, options, cropRatio) : stretched(view, options)
    if (interpolation === 'nearest') return resizeNearest(view, placement)
    return resizeFilter(view, placement, interpolation)
  })
}

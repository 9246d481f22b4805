import { decodeImage } from './decode/decode-image.ts'
import { centered, type Frame, onCanvas, type Placement, stretched } from './scale/placement.ts'
import { resizeFilter } from './scale/resize-filter.ts'
import { resizeNearest } from './scale/resize-nearest.ts'

export interface ImageOptions {
  /** The size of the network's input. */
  readonly height: number
  readonly width: number
  readonly interpolation: 'nearest' | 'bilinear' | 'bicubic'
  /** `picture`: the whole picture in colour. `digit`: the one digit on it, in one channel. */
  readonly subject?: 'picture' | 'digit'
  /**
   * `stretch`: scale the whole image to the input size. `center`: keep the shape and cut out the middle. `canvas`: the
   * same, rounded as Teachable Machine does.
   */
  readonly crop: 'stretch' | 'center' | 'canvas'
  /** For `center`: the ratio of the scaled image to the part that is cut out, such as 256 / 224. */
  readonly cropRatio?: number
  /** Rotate a photograph by its EXIF orientation. */
  readonly orientation?: boolean
  /** Apply an embedded colour profile. Most networks were trained without profiles. */
  readonly colourProfile?: boolean
  /** An image that declares more pixels is refused before decoding. */
  readonly maxPixels?: number
  /** Seconds after which the decoding of an image is given up. */
  readonly maxSeconds?: number | undefined
  /** Called when the decoding starts: before that, the image may have waited for room. */
  readonly started?: (() => void) | undefined
}

// Enough for a good camera; three bytes per pixel make 150 MB.
const MAX_PIXELS = 50_000_000

/** Turns an image file into the input of a network: RGB, height × width × 3, without padding. */
export async function readImage(bytes: Uint8Array, options: ImageOptions): Promise<Uint8Array> {
  const { interpolation, crop, cropRatio = 1, orientation = true, colourProfile = false } = options
  const { maxPixels = MAX_PIXELS, maxSeconds, started } = options
  const limits = { maxPixels, maxSeconds, started }
  return decodeImage(bytes, { orientation, colourProfile, ...limits }, (view) => {
    const placement = placementOf(crop, view, options, cropRatio)
    if (interpolation === 'nearest') return resizeNearest(view, placement)
    return resizeFilter(view, placement, interpolation)
  })
}

function placementOf(crop: ImageOptions['crop'], view: Frame, target: Frame, ratio: number): Placement {
  if (crop === 'canvas') return onCanvas(view, target)
  return crop === 'center' ? centered(view, target, ratio) : stretched(view, target)
}

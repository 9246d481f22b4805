import { decodeImage } from '../decode/decode-image.ts'
import type { PixelView } from '../decode/pixel-view.ts'
import { grey } from '../grey.ts'
import type { ImageOptions } from '../read-image.ts'
import { type Frame, stretched } from '../scale/placement.ts'
import { resizeFilter } from '../scale/resize-filter.ts'
import { centerDigit } from './center-digit.ts'
import type { Plane } from './plane.ts'

// Bounds the time for a photograph; a digit of a tenth of the side still has 38 pixels, and 20 are needed.
const LONGER_SIDE = 384

/**
 * Turns an image file into the input of a network for digits: one channel, white ink on black. Transparent pixels count
 * as white paper. If the picture is empty then, they count as black, for white ink on a transparent background.
 * Undefined when the picture is empty both ways.
 */
export async function readDigit(bytes: Uint8Array, options: ImageOptions): Promise<Uint8Array | undefined> {
  const { height, width, orientation = true, colourProfile = false, maxPixels = 50_000_000 } = options
  const { maxSeconds, started } = options
  for (const paper of ['white', 'black'] as const) {
    const limits = { maxPixels, maxSeconds, started }
    const how = { orientation, colourProfile, ...limits, paper, enough: LONGER_SIDE }
    const digit = await decodeImage(bytes, how, async (view) =>
      centerDigit(await toPlane(view), { width, height }),
    )
    if (digit) return digit
  }
  return undefined
}

async function toPlane(view: PixelView): Promise<Plane> {
  const frame = inside(view)
  const pixels = grey(await resizeFilter(view, stretched(view, frame), 'bilinear'))
  return { values: new Float32Array(pixels), ...frame }
}

function inside({ width, height }: Frame): Frame {
  const scale = Math.min(1, LONGER_SIDE / Math.max(width, height))
  const scaled = (side: number) => Math.max(1, Math.round(side * scale))
  return { width: scaled(width), height: scaled(height) }
}

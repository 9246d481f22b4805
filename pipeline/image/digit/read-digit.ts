import { decodeImage } from '../decode/decode-image.ts'
import type { PixelView } from '../decode/pixel-view.ts'
import { grey } from '../grey.ts'
import type { ImageOptions } from '../read-image.ts'
import { type Frame, stretched } from '../scale/placement.ts'
import { resizeFilter } from '../scale/resize-filter.ts'
import { centerDigit } from './center-digit.ts'
import type { Plane } from './plane.ts'

// A digit that takes a tenth of a photograph still has twice the pixels that are wanted, and no photograph takes longer.
const LONGER_SIDE = 384

/**
 * The bytes of an image file as a network for digits wants them: one channel, white ink on black. What is transparent
 * counts as white paper; only when nothing is written on it, as black, for white ink on nothing. Undefined when the
 * picture is empty.
 */
export async function readDigit(bytes: Uint8Array, options: ImageOptions): Promise<Uint8Array | undefined> {
  const { height, width, orientation = true, colourProfile = false, maxPixels = 50_000_000 } = options
  for (const paper of ['white', 'black'] as const) {
    const how = { orientation, colourProfile, maxPixels, paper, enough: LONGER_SIDE }
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

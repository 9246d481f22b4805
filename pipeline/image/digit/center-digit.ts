import { pixelView } from '../decode/pixel-view.ts'
import type { Frame } from '../scale/placement.ts'
import { resizeFilter } from '../scale/resize-filter.ts'
import { findInk } from './ink.ts'
import { bytesOf, type Plane } from './plane.ts'
import { thickened } from './thickened.ts'

// MNIST fits a digit into 20 of 28 pixels.
const BOX = 20 / 28
// When the digit is measured, pixels from this value (of 255) on count as ink.
const VISIBLE = 24

// Tolerances in pixels: faint ends of strokes are not measured, and MNIST moves digits by whole pixels.
const SIZE_TOLERANCE = 4
const PLACE_TOLERANCE = 2

interface Box {
  readonly left: number
  readonly top: number
  readonly width: number
  readonly height: number
}

/**
 * Brings the one digit on a picture into the form of MNIST: white on black, the longer side 20 of 28 pixels, strokes as
 * thick as a pen's, the centre of mass in the middle. Undefined when the picture is empty.
 */
export async function centerDigit(plane: Plane, field: Frame): Promise<Uint8Array | undefined> {
  const ink = findInk(plane)
  if (!ink) return undefined
  const drawn = boundingBox(ink.strokes)
  if (ink.everything && isInPlace(ink.strokes, drawn, field)) return ink.everything()
  const strokes = thickened(ink.strokes, Math.max(drawn.width, drawn.height))
  const box = boundingBox(strokes)
  const side = Math.round(BOX * Math.min(field.width, field.height))
  const scale = side / Math.max(box.width, box.height)
  const scaled = {
    width: Math.max(1, Math.round(box.width * scale)),
    height: Math.max(1, Math.round(box.height * scale)),
  }
  const digit = await resized(strokes, box, scaled)
  return placed(digit, field)
}

function boundingBox({ values, width, height }: Plane): Box {
  let [left, top, right, bottom] = [width, height, 0, 0]
  for (let i = 0; i < values.length; i++) {
    if ((values[i] as number) < VISIBLE) continue
    const x = i % width
    const y = Math.floor(i / width)
    left = Math.min(left, x)
    right = Math.max(right, x + 1)
    top = Math.min(top, y)
    bottom = Math.max(bottom, y + 1)
  }
  return { left, top, width: Math.max(1, right - left), height: Math.max(1, bottom - top) }
}

/** Whether the digit is already in the form of MNIST: such an image stays as it is, because scaling would blur it. */
function isInPlace(ink: Plane, box: Box, { width, height }: Frame): boolean {
  if (ink.width !== width || ink.height !== height) return false
  const side = BOX * Math.min(width, height)
  const longer = Math.max(box.width, box.height)
  const [x, y] = centerOfMass(ink)
  const isInTheMiddle =
    Math.abs(x - width / 2) <= PLACE_TOLERANCE && Math.abs(y - height / 2) <= PLACE_TOLERANCE
  return isInTheMiddle && Math.abs(longer - side) <= SIZE_TOLERANCE
}

function centerOfMass({ values, width }: Plane): [x: number, y: number] {
  let [sum, sumX, sumY] = [0, 0, 0]
  for (const [i, value] of values.entries()) {
    sum += value
    sumX += value * ((i % width) + 0.5)
    sumY += value * (Math.floor(i / width) + 0.5)
  }
  return [sumX / sum, sumY / sum]
}

async function resized({ values, width, height }: Plane, box: Box, size: Frame): Promise<Plane> {
  const view = pixelView(bytesOf(values), width, height, 1)
  const inside = { ...view, width: box.width, height: box.height, origin: box.top * width + box.left }
  const placement = {
    x: { source: box.width, scaled: size.width, start: 0, size: size.width },
    y: { source: box.height, scaled: size.height, start: 0, size: size.height },
  }
  const colours = await resizeFilter(inside, placement, 'bicubic')
  return { values: Float32Array.from({ length: colours.length / 3 }, (_, i) => colours[i * 3] ?? 0), ...size }
}

/** Puts the digit on an empty field, at whole pixels, and never over the edge. */
function placed(digit: Plane, field: Frame): Uint8Array {
  const [x, y] = centerOfMass(digit)
  const place = (center: number, size: number, room: number) =>
    Math.min(Math.max(Math.round(room / 2 - center), 0), room - size)
  const left = place(x, digit.width, field.width)
  const top = place(y, digit.height, field.height)
  const pixels = new Uint8Array(field.width * field.height)
  for (const [i, value] of digit.values.entries()) {
    const [column, row] = [i % digit.width, Math.floor(i / digit.width)]
    pixels[(top + row) * field.width + left + column] = value
  }
  return pixels
}

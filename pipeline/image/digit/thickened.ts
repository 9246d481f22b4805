import { dilated, type Plane } from './plane.ts'

// The least thickness of a stroke, as a part of the digit's longer side: that of the thinner pens of MNIST, 1.8 of 20
// pixels. A much thinner stroke would nearly vanish when the digit is scaled down.
const LEAST_PEN = 0.09
// Pixels from this value (of 255) on count as ink in the area and the outline.
const HALF = 128
// The outline of a line is twice as long as the line. Counted in steps along rows and columns, it is 4 / π times as long.
const OUTLINE = 8 / Math.PI

/** Makes strokes that are thinner than those of MNIST as thick as those. `longer` is the longer side of the digit. */
export function thickened(strokes: Plane, longer: number): Plane {
  const missing = Math.floor((LEAST_PEN * longer - penOf(strokes)) / 2)
  return missing > 0 ? dilated(strokes, missing) : strokes
}

/** The thickness of the strokes in pixels: their area divided by their length. */
function penOf({ values, width }: Plane): number {
  let area = 0
  let outline = 0
  for (let i = 0; i < values.length; i++) {
    const isInk = (values[i] as number) >= HALF
    const x = i % width
    const isLeftInk = x > 0 && (values[i - 1] as number) >= HALF
    const isAboveInk = i >= width && (values[i - width] as number) >= HALF
    if (isInk) area++
    if (isInk !== isLeftInk) outline++
    if (isInk !== isAboveInk) outline++
    // There is no ink beyond the right and the lower edge.
    if (isInk && x === width - 1) outline++
    if (isInk && i >= values.length - width) outline++
  }
  return (OUTLINE * area) / Math.max(1, outline)
}

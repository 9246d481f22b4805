import { dilated, type Plane } from './plane.ts'

// Of the longer side of a digit: as thick as the thinner pens of MNIST, 1.8 of 20 pixels. What is much thinner is hardly
// there any more once the digit is that small.
const LEAST_PEN = 0.09
// Of 255: what counts as ink when its area and its outline are compared.
const HALF = 128
// A line has an outline of twice its length, which in steps along rows and columns is 4 / π as long in the mean.
const OUTLINE = 8 / Math.PI

/** Strokes thinner than those of MNIST made as thick as they are there, `longer` being the longer side of the digit. */
export function thickened(strokes: Plane, longer: number): Plane {
  const missing = Math.floor((LEAST_PEN * longer - penOf(strokes)) / 2)
  return missing > 0 ? dilated(strokes, missing) : strokes
}

/** In pixels: the area of the strokes divided by their length. */
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
    // Beyond the right and the lower edge there is none.
    if (isInk && x === width - 1) outline++
    if (isInk && i >= values.length - width) outline++
  }
  return (OUTLINE * area) / Math.max(1, outline)
}

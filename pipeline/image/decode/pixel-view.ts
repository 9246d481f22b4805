/** Pixels, and how to step through them: rotating or mirroring an image changes the steps and moves no byte. */
export interface PixelView {
  readonly data: Uint8Array
  readonly width: number
  readonly height: number
  /** The offset of the first byte of the upper left pixel. */
  readonly origin: number
  readonly xStep: number
  readonly yStep: number
  /** The step from red to green to blue. 0 in a grey image, where one byte is all three. */
  readonly bandStep: 0 | 1
}

/** `orientation` as in EXIF: 1 upright, 3 upside down, 6 and 8 on the side; 2, 4, 5 and 7 are mirrored. */
export function pixelView(
  data: Uint8Array,
  width: number,
  height: number,
  channels: number,
  orientation = 1,
): PixelView {
  const row = width * channels
  const right = row - channels
  const bottom = (height - 1) * row
  const fromRight = [2, 3, 7, 8].includes(orientation)
  const fromBottom = [3, 4, 6, 7].includes(orientation)
  const origin = (fromRight ? right : 0) + (fromBottom ? bottom : 0)
  const across = fromRight ? -channels : channels
  const down = fromBottom ? -row : row
  const bandStep = channels === 1 ? 0 : 1
  if (orientation < 5) return { data, width, height, origin, xStep: across, yStep: down, bandStep }
  return { data, width: height, height: width, origin, xStep: down, yStep: across, bandStep }
}

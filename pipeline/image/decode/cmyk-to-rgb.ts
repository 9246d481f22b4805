import { inSlices } from './slices.ts'

const PIXELS_A_SLICE = 256 * 1024

/**
 * Converts as Pillow does, without a colour profile: each ink and black take light away. Works in place: three bytes are
 * written for four that were read, so writing never overtakes reading.
 */
export async function cmykToRgb(data: Uint8Array): Promise<Uint8Array> {
  const pixels = data.length >> 2
  await inSlices(pixels, PIXELS_A_SLICE, (start, end) => {
    for (let i = start; i < end; i++) {
      const light = 255 - (data[4 * i + 3] as number)
      data[3 * i] = rest(light, data[4 * i] as number)
      data[3 * i + 1] = rest(light, data[4 * i + 1] as number)
      data[3 * i + 2] = rest(light, data[4 * i + 2] as number)
    }
  })
  return data.subarray(0, 3 * pixels)
}

/** light · ink / 255, rounded without a division as in Pillow, and taken away from the light. */
function rest(light: number, ink: number): number {
  const product = ink * light + 128
  return light - ((product + (product >> 8)) >> 8)
}

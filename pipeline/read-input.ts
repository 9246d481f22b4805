import type { ImageInput } from './facts/image-input.ts'
import { readDigit } from './image/digit/read-digit.ts'
import { grey } from './image/grey.ts'
import { type ImageOptions, readImage } from './image/read-image.ts'

/**
 * The input of `predict`: the bytes of an image, alone or with the number of guesses to answer with. A number above the
 * number of classes gives all of them.
 */
export type ModelInput = Uint8Array | { image: Uint8Array; top?: number }

export function readInput(input: ModelInput, otherwise: number): { bytes: Uint8Array; wanted: number } {
  const { image, top = otherwise } = input instanceof Uint8Array ? { image: input } : input
  if (image instanceof Uint8Array && Number.isInteger(top) && top > 0) return { bytes: image, wanted: top }
  throw new TypeError('An input of the model is bytes, or { image: bytes, top?: a whole number above 0 }.')
}

/** The pixels with as many channels as the model takes; undefined when a digit is wanted and the picture shows none. */
export async function readPixels(
  bytes: Uint8Array,
  options: ImageOptions,
  channels: ImageInput['channels'],
): Promise<Uint8Array | undefined> {
  if (options.subject !== 'digit') {
    const colours = await readImage(bytes, options)
    if (channels === 1) return grey(colours)
    return channels === 4 ? opaque(colours) : colours
  }
  const digit = await readDigit(bytes, options)
  if (!digit) return undefined
  return Uint8Array.from({ length: digit.length * channels }, (_, i) => digit[Math.floor(i / channels)] ?? 0)
}

/** With the opacity of a photograph. */
function opaque(colours: Uint8Array): Uint8Array {
  const pixels = new Uint8Array((colours.length / 3) * 4).fill(255)
  for (let from = 0, to = 0; from < colours.length; from += 3, to += 4) {
    pixels.set(colours.subarray(from, from + 3), to)
  }
  return pixels
}

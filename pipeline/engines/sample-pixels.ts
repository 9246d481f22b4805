import type { Engine } from './engine.ts'

/** Sample images for an engine, one after the other. */
export function samplePixels({ inputShape }: Engine, n: number): Uint8Array {
  return patterned(inputShape.reduce((product, length) => product * length, n))
}

/** A pattern, not zeros and not one value: a faulty device may answer right for those alone. */
export function patterned(length: number): Uint8Array {
  return new Uint8Array(length).map((_, i) => (i * 37 + (i >> 8)) & 255)
}

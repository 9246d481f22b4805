import type { Pictures } from '../../pipeline/quantize/pictures.ts'
import { hash } from './synthetic.ts'

/** Pictures of blocks in arbitrary colours, each the same at every call. */
export function pictures(
  count: number,
  [height, width, channels]: readonly [number, number, number],
): Pictures {
  return {
    count,
    async read(at) {
      const block = 2 + (at % 5)
      return Uint8Array.from({ length: height * width * channels }, (_, i) => {
        const channel = i % channels
        const column = Math.floor(i / channels) % width
        const row = Math.floor(i / channels / width)
        const place = Math.floor(row / block) * 64 + Math.floor(column / block)
        return hash(at * 7 + channel, place) >>> 24
      })
    },
  }
}

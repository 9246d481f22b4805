import { createHash } from 'node:crypto'
import type { Pictures } from './pictures.ts'

const MOST_PICTURES = 128
const MOST_BYTES = 32 * 2 ** 20

/** How many pictures of so many bytes a sample holds at most. */
export const roomFor = (bytes: number): number => Math.min(MOST_PICTURES, Math.floor(MOST_BYTES / bytes))

/**
 * A sample of the pictures that a model is asked for, as pixels and in memory alone. Each picture is in the sample once,
 * however often a client sends the picture.
 */
export class PictureSample {
  readonly #kept: { readonly digest: string; readonly pixels: Uint8Array }[] = []
  readonly #digests = new Set<string>()
  // How many were offered.
  #seen = 0

  get size(): number {
    return this.#kept.length
  }

  /** Once the sample is full, each picture takes the place of another one with a chance that makes all equally likely. */
  add(pixels: Uint8Array): void {
    const room = roomFor(pixels.length)
    const isFull = this.#kept.length >= room
    const place = isFull ? Math.floor(Math.random() * ++this.#seen) : this.#kept.length
    if (!isFull) this.#seen++
    if (place >= room) return
    const digest = createHash('sha256').update(pixels).digest('base64')
    if (this.#digests.has(digest)) return
    this.#digests.add(digest)
    this.#digests.delete(this.#kept[place]?.digest ?? '')
    // A copy, since the pixels may be a part of something larger.
    this.#kept[place] = { digest, pixels: new Uint8Array(pixels) }
  }

  /** The pictures from a place on that have together at most so many bytes, but one in any case. */
  part(from: number, bytes: number): Uint8Array[] {
    const part: Uint8Array[] = []
    let left = bytes
    for (const { pixels } of this.#kept.slice(from)) {
      left -= pixels.length
      if (left < 0 && part.length > 0) break
      part.push(pixels)
    }
    return part
  }

  /** For the quantizer. */
  get pictures(): Pictures {
    const all = this.#kept.map(({ pixels }) => pixels)
    return {
      count: all.length,
      async read(at) {
        const pixels = all[at]
        if (!pixels) throw new RangeError(`there is no picture ${at}`)
        return pixels
      },
    }
  }
}

/**
 * The parts of a file that a decoder is given. What a classifier never needs (texts, previews, metadata) is left out, so
 * that the decoder cannot be made to unpack or copy such parts.
 */
export class KeptRanges {
  readonly #bytes: Uint8Array
  // Neighbours are joined, so a file of many data chunks is one range.
  readonly #ranges: { readonly start: number; end: number }[] = []

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** Ranges must be added in the order of the file. */
  add(start: number, end: number): void {
    const last = this.#ranges.at(-1)
    if (last?.end === start) last.end = end
    else this.#ranges.push({ start, end })
  }

  /** Copies nothing if all kept bytes are one range. */
  joined(): Uint8Array {
    const parts = this.#ranges.map(({ start, end }) => this.#bytes.subarray(start, end))
    const [only] = parts
    return parts.length === 1 && only ? only : Buffer.concat(parts)
  }
}

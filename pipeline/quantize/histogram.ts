/**
 * How often numbers of each size occur in each channel of a tensor. The bins cover a range that doubles whenever a number
 * leaves the range, so that one pass over the images is enough and no image is kept.
 */
export class Histogram {
  readonly channels: number
  readonly bins: number
  /** The range of a side: from zero to this number. */
  #range = 0
  /** Counts by channel and bin; below zero only once there is such a number. */
  readonly #above: Float64Array
  #below: Float64Array | undefined
  readonly #zeros: Float64Array
  readonly #sums: Float64Array
  readonly #least: Float64Array
  readonly #most: Float64Array
  #images = 0

  constructor(channels: number, bins: number) {
    this.channels = channels
    this.bins = bins
    this.#above = new Float64Array(channels * bins)
    this.#zeros = new Float64Array(channels)
    this.#sums = new Float64Array(channels)
    this.#least = new Float64Array(channels)
    this.#most = new Float64Array(channels)
  }

  get range(): number {
    return this.#range
  }

  get images(): number {
    return this.#images
  }

  /** Adds the numbers of one image, channel after channel. */
  add(numbers: Float32Array): void {
    this.#fit(numbers)
    this.#images++
    const { channels, bins } = this
    const each = numbers.length / channels
    const scale = this.#range === 0 ? 0 : bins / this.#range
    const above = this.#above
    for (let channel = 0, at = 0; channel < channels; channel++) {
      const base = channel * bins
      let [sum, zeros] = [0, 0]
      for (const end = at + each; at < end; at++) {
        const value = numbers[at] as number
        if (value === 0) {
          zeros++
          continue
        }
        sum += value
        const bin = Math.min(bins - 1, Math.floor(Math.abs(value) * scale)) + base
        const side = value > 0 ? above : (this.#below as Float64Array)
        side[bin] = (side[bin] as number) + 1
      }
      this.#zeros[channel] = (this.#zeros[channel] ?? 0) + zeros
      this.#sums[channel] = (this.#sums[channel] ?? 0) + sum
    }
  }

  /** Grows the range until the numbers fit. */
  #fit(numbers: Float32Array): void {
    const each = numbers.length / this.channels
    let [least, most] = [0, 0]
    for (let channel = 0, at = 0; channel < this.channels; channel++) {
      let [low, high] = [this.#least[channel] ?? 0, this.#most[channel] ?? 0]
      for (const end = at + each; at < end; at++) {
        const value = numbers[at] as number
        if (value < low) low = value
        else if (value > high) high = value
      }
      this.#least[channel] = low
      this.#most[channel] = high
      least = Math.min(least, low)
      most = Math.max(most, high)
    }
    const largest = Math.max(-least, most)
    if (least < 0) this.#below ??= new Float64Array(this.#above.length)
    if (largest > 0 && this.#range === 0) this.#range = largest
    while (this.#range < largest) this.#double()
  }

  #double(): void {
    this.#range *= 2
    for (const side of [this.#above, this.#below]) {
      if (!side) continue
      for (let base = 0; base < side.length; base += this.bins) {
        for (let bin = 0; bin < this.bins; bin++) {
          const from = base + bin * 2
          const isFirstHalf = bin * 2 < this.bins
          side[base + bin] = isFirstHalf
            ? (side[from] ?? 0) + (bin * 2 + 1 < this.bins ? (side[from + 1] ?? 0) : 0)
            : 0
        }
      }
    }
  }

  least(channel: number): number {
    return this.#least[channel] ?? 0
  }

  most(channel: number): number {
    return this.#most[channel] ?? 0
  }

  count(channel: number): number {
    let count = this.#zeros[channel] ?? 0
    for (const [, times] of this.entries(channel)) count += times
    return count
  }

  mean(channel: number): number {
    const count = this.count(channel)
    return count === 0 ? 0 : (this.#sums[channel] ?? 0) / count
  }

  /** The bins that are not empty, by the number in their middle; zeros are left out, because bytes have them exactly. */
  *entries(channel: number): Generator<readonly [number, number]> {
    const width = this.#range / this.bins
    for (const [side, sign] of [
      [this.#above, 1],
      [this.#below, -1],
    ] as const) {
      if (!side) continue
      for (let bin = 0; bin < this.bins; bin++) {
        const times = side[channel * this.bins + bin] ?? 0
        if (times > 0) yield [sign * (bin + 0.5) * width, times]
      }
    }
  }
}

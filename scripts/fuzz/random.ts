/** Numbers that look random, and are the same ones for the same seed. */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = mixed(seed)
  }

  /** At least 0, and below 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    return mixed(this.#state) / 2 ** 32
  }

  /** A whole number below the limit; 0 if the limit is below 1. */
  below(limit: number): number {
    return Math.trunc(this.next() * Math.max(1, limit))
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  pick<T>(list: readonly T[]): T {
    const picked = list[this.below(list.length)]
    if (picked === undefined) throw new RangeError('nothing to pick from')
    return picked
  }
}

/** The random numbers of one input of a run, which depend on no other input. */
export function randomOf(seed: number, index: number): Random {
  return new Random(mixed(seed) ^ mixed(index + 0x9e3779b9))
}

/** Spreads every bit of a number over all 32 bits. */
function mixed(value: number): number {
  let x = Math.imul(value ^ (value >>> 16), 0x7feb352d)
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b)
  return (x ^ (x >>> 16)) >>> 0
}

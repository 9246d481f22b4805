import type { Cell } from './cell.ts'
import type { Clock } from './clock.ts'

/**
 * How many hosts are wanted. `length`: so many that the calls under way are computed within `seconds`. `rate`: so many
 * that the calls that arrive use a `share` of what the hosts can compute.
 */
export type Rule =
  | { readonly by: 'length'; readonly seconds: number }
  | { readonly by: 'rate'; readonly share: number }

export interface ScaleOptions {
  readonly rule: Rule
  readonly secondsPerImage: number
  readonly least: number
  readonly most: number
  /** seconds from the decision to the first call that a new host takes */
  readonly start: number
}

/** The period of Kubernetes' autoscaler. */
const LOOK_EVERY = 15
/** The defaults of Kubernetes: hosts may double or grow by four in one period; they shrink to the most of five minutes. */
const GROWTH = 2
const LEAST_GROWTH = 4
const LOOK_BACK = 300
/** Kubernetes leaves the number as it is within a tenth. */
const TOLERANCE = 0.1

/** Decides as Kubernetes' autoscaler does. */
export class Autoscaler {
  readonly #clock: Clock
  readonly #cell: Cell
  readonly #options: ScaleOptions
  readonly #arrived: () => number
  #arrivedBefore = 0
  readonly #wanted: { readonly at: number; readonly hosts: number }[] = []
  // With those that are starting.
  #hosts: number

  /** `arrived`: the number of calls since the beginning. */
  constructor(clock: Clock, cell: Cell, options: ScaleOptions, arrived: () => number) {
    this.#clock = clock
    this.#cell = cell
    this.#options = options
    this.#arrived = arrived
    this.#hosts = cell.hosts
    clock.after(LOOK_EVERY, () => this.#look())
  }

  #look(): void {
    const { least, most, start } = this.#options
    const wanted = Math.min(most, Math.max(least, this.#want()))
    this.#wanted.push({ at: this.#clock.now, hosts: wanted })
    while ((this.#wanted[0]?.at ?? 0) < this.#clock.now - LOOK_BACK) this.#wanted.shift()
    const current = this.#hosts
    if (wanted > current) {
      const bound = Math.max(current * GROWTH, current + LEAST_GROWTH)
      this.#hosts = Math.min(wanted, bound)
      for (let i = current; i < this.#hosts; i++) this.#clock.after(start, () => this.#cell.addHost())
    } else {
      const highest = Math.max(...this.#wanted.map(({ hosts }) => hosts))
      // A host that is still starting is not removed: its decision is younger than the look back.
      while (this.#hosts > highest && this.#cell.hosts > highest) {
        this.#hosts--
        this.#cell.removeHost()
      }
    }
    this.#clock.after(LOOK_EVERY, () => this.#look())
  }

  #want(): number {
    const { rule, secondsPerImage } = this.#options
    const arrived = this.#arrived()
    const perSecond = (arrived - this.#arrivedBefore) / LOOK_EVERY
    this.#arrivedBefore = arrived
    const exact =
      rule.by === 'length'
        ? (this.#cell.pending * secondsPerImage) / rule.seconds
        : (perSecond * secondsPerImage) / rule.share
    if (Math.abs(exact / this.#hosts - 1) <= TOLERANCE) return this.#hosts
    return Math.ceil(exact)
  }
}

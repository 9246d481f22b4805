/** 15 minutes of figures, at one sample per second. */
export const SAMPLES = 900

/** One figure per column; NaN if there is none, which is not the same as 0. */
export type Sample<Column extends string> = Readonly<Record<Column, number>>

/** The latest samples, column by column, in arrays that never grow: 4 bytes per figure. */
export class SampleRing<Column extends string> {
  readonly #columns: ReadonlyMap<Column, Float32Array>
  readonly #capacity: number
  // Samples written so far; the newest stands at (#written - 1) % #capacity.
  #written = 0

  constructor(columns: readonly Column[], capacity = SAMPLES) {
    this.#columns = new Map(columns.map((column) => [column, new Float32Array(capacity).fill(Number.NaN)]))
    this.#capacity = capacity
  }

  get length(): number {
    return Math.min(this.#written, this.#capacity)
  }

  add(sample: Sample<Column>): void {
    const at = this.#written % this.#capacity
    for (const [column, figures] of this.#columns) figures[at] = sample[column]
    this.#written++
  }

  /** The newest figures of a column, the oldest of them first. */
  newest(column: Column, count: number): number[] {
    const figures = this.#columns.get(column)
    const first = this.#written - Math.min(count, this.length)
    const places = Array.from({ length: this.#written - first }, (_, i) => (first + i) % this.#capacity)
    return places.map((place) => figures?.[place] ?? Number.NaN)
  }
}

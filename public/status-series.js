/** What a chart shows goes back this far. */
export const WINDOW_MS = 15 * 60 * 1000
/** Two samples that are further apart have nothing between them; a line must not claim it. */
export const GAP_MS = 2500

/** @typedef {readonly (number | null)[]} Column */

/** The samples of the window, column by column: what came is added, what is too old goes. */
export class Series {
  /** @type {number[]} the time of each sample, in milliseconds since 1970 */
  t = []
  /** @type {Map<string, Column>} */
  #columns = new Map()

  /**
   * @param {readonly number[]} t
   * @param {Readonly<Record<string, Column>>} columns
   */
  add(t, columns) {
    const oldest = (t.at(-1) ?? this.t.at(-1) ?? 0) - WINDOW_MS
    const kept = [...this.t, ...t]
    const dropped = kept.findIndex((time) => time >= oldest)
    for (const [name, figures] of Object.entries(columns)) {
      const before = this.#columns.get(name) ?? this.t.map(() => null)
      this.#columns.set(name, [...before, ...figures].slice(Math.max(dropped, 0)))
    }
    this.t = kept.slice(Math.max(dropped, 0))
  }

  /**
   * @param {string} name
   * @returns {Column}
   */
  column(name) {
    return this.#columns.get(name) ?? []
  }

  /**
   * The newest figure that there is among the last `count`.
   * @param {string} name
   */
  latest(name, count = 1) {
    return (
      this.column(name)
        .slice(-count)
        .findLast((figure) => figure !== null) ?? null
    )
  }
}

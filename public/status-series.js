/** The time span of a chart. */
export const WINDOW_MS = 15 * 60 * 1000
/** Samples that are further apart are not joined by a line, because nothing is known of the time between them. */
export const GAP_MS = 2500

/** @typedef {readonly (number | null)[]} Column */

/** The samples of the last quarter of an hour, by column. Older samples are dropped. */
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
   * The newest figure among the last `count` samples; null when none has one.
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

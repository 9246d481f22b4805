import { type Profiler, Session } from 'node:inspector'

/** The code that has run, by the coverage that V8 measures. */
export class Paths {
  readonly #session = new Session()
  readonly #root: string
  /** For each function that has run: which of its characters have. */
  readonly #ran = new Map<string, Uint8Array>()

  /** Counts files below this folder, a file: URL. */
  constructor(root: string) {
    this.#root = root
    this.#session.connect()
    this.#session.post('Profiler.enable')
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
  }

  /** Whether code has run since the last call that never ran before. `keep`: such code counts as known from now on. */
  anyNew(keep: boolean): boolean {
    let isNew = false
    // The answer comes before the call returns.
    this.#session.post('Profiler.takePreciseCoverage', (error, coverage) => {
      if (error) throw error
      for (const { url, functions } of coverage.result) {
        if (!url.startsWith(this.#root) || url.includes('/node_modules/')) continue
        for (const one of functions) isNew = this.#hasNew(url, one.ranges, keep) || isNew
      }
    })
    return isNew
  }

  /** The first range is the whole function; the others, from the outer to the inner, are the blocks inside. */
  #hasNew(url: string, ranges: readonly Profiler.CoverageRange[], keep: boolean): boolean {
    const [whole] = ranges
    if (whole === undefined || whole.count === 0) return false
    const { startOffset, endOffset } = whole
    const now = new Uint8Array(endOffset - startOffset)
    for (const { startOffset: start, endOffset: end, count } of ranges)
      now.fill(count > 0 ? 1 : 0, start - startOffset, end - startOffset)
    const key = `${url}:${startOffset}:${endOffset}`
    const before = this.#ran.get(key)
    const isNew = before === undefined || now.some((ran, i) => ran === 1 && before[i] === 0)
    if (isNew && keep)
      this.#ran.set(key, before === undefined ? now : now.map((ran, i) => ran | (before[i] ?? 0)))
    return isNew
  }
}

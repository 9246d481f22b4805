/** What a pipeline module exports under the name `makePipeline`. */
export type MakePipeline = (options: never, context: PipelineContext) => Pipeline | Promise<Pipeline>

export interface PipelineContext {
  /** While the pipeline is being made: how far it is (0 to 1) and a few words on what it does. */
  readonly progress: Progress
}

/**
 * An error of makePipeline that no retry can mend, such as a damaged file: the broker goes to `failed` at once, and starts
 * a child again only when one of the files in `watch` has changed. Without `permanent`, the broker goes on trying.
 */
export interface PermanentError extends Error {
  readonly permanent: true
  /** Absolute paths, also of files that are not there yet. */
  readonly watch?: readonly string[]
}

export type Progress = (fraction: number, word: string) => void

/** The last progress that a pipeline has told of. */
export interface ProgressReport {
  fraction: number
  word: string
}

export interface Pipeline {
  /** The functions that may be called; `['predict']` when left out. */
  methods?: readonly string[]
  /** What the pipeline tells about itself once it is ready: anything that can be cloned. */
  info?: unknown
  /** First step of a prediction; runs for many inputs at once. */
  prepare?(input: unknown): unknown
  /** Second step; gets what `prepare` made of each input and returns as many answers, in the same order. Never
   *  overlaps with itself. An answer that is an Error fails its own call alone. */
  predict?(batch: readonly unknown[]): readonly unknown[] | Promise<readonly unknown[]>
  /** Called before the child ends in peace. */
  close?(): void | Promise<void>
}

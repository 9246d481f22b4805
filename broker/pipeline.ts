/** The function that a pipeline module exports under the name `makePipeline`. */
export type MakePipeline = (options: never, context: PipelineContext) => Pipeline | Promise<Pipeline>

export interface PipelineContext {
  /** Reports how far the making of the pipeline is (0 to 1), and in a few words what is being done. */
  readonly progress: Progress
}

export interface PrepareContext {
  /** Says that a preparation has waited for its turn until now: `prepareTimeout` begins anew. */
  readonly started: () => void
}

export type Progress = (fraction: number, word: string) => void

/** The last report of a pipeline's progress. */
export interface ProgressReport {
  fraction: number
  word: string
}

/**
 * An error of makePipeline that a retry cannot fix, such as a damaged file: the broker goes to `failed` at once, and starts
 * a child again only when one of the files in `watch` has changed. Without `permanent`, the broker goes on trying.
 */
export interface PermanentError extends Error {
  readonly permanent: true
  /** Absolute paths, also of files that do not exist yet. */
  readonly watch?: readonly string[]
}

export interface BatchTime {
  readonly size: number
  readonly ms: number
}

export interface Pipeline {
  /** The functions that may be called; the default is `['predict']`. */
  methods?: readonly string[]
  /** Facts about the ready pipeline, for `broker.stats().info`: anything that can be cloned. */
  info?: unknown
  /** Absolute paths of the files that decide what the pipeline is, also of files that do not exist. A spare child does not
   *  take over when one of these files has changed since the spare was started. */
  watch?: readonly string[]
  /** How long `predict` takes for batches of some sizes, as measured. The child makes batches of the size with the highest rate. */
  batchTimes?: readonly BatchTime[]
  /** First step of a prediction. Runs for many inputs at the same time. */
  prepare?(input: unknown, context: PrepareContext): unknown
  /** Second step: gets the results of `prepare` and returns one answer for each, in the same order. Never overlaps
   *  with itself. An answer that is an Error fails its own call alone. */
  predict?(batch: readonly unknown[]): readonly unknown[] | Promise<readonly unknown[]>
  /** Called before the child exits normally. */
  close?(): void | Promise<void>
}

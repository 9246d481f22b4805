import type { Guess } from '../models/guess.ts'
import type { OtherOutputs } from '../models/other-outputs.ts'
import type { KoaMiddleware, MountOptions, nodeHandler } from './mounted.ts'
import type { Picture } from './read-picture.ts'

export interface ClassifyOptions {
  /** number of guesses, from the best one; when left out, the model's own number */
  readonly top?: number
  /** only guesses with more than this probability */
  readonly threshold?: number
  /** gives the call up; its promise rejects with ERR_ABORTED */
  readonly signal?: AbortSignal
}

export interface ClassifyAllOptions extends ClassifyOptions {
  /** number of pictures in work at a time; auto keeps the model busy while the next pictures are read */
  readonly concurrency?: number | 'auto'
}

/** The answer of a model for one picture. */
export interface Classified {
  readonly model: string
  /** from the most probable class to the least */
  readonly guesses: readonly Guess[]
  /** the answer as it is, for a pipeline of your own that does not answer with guesses */
  readonly value: unknown
  /** of a model with several outputs: those that are not served, by their names */
  readonly outputs?: OtherOutputs
  /** identifies the weights and the preparation of pictures; empty if the pipeline does not say */
  readonly version: string
  /** milliseconds of each stage */
  readonly timing: {
    readonly queue: number
    readonly prepare: number
    readonly predict: number
    readonly total: number
    /** kept from an earlier call with the same picture */
    readonly cached?: true
  }
}

/** An error with a code; docs/errors.md lists the codes. */
export interface CodedError extends Error {
  readonly code: string
}

/** The result for one of many pictures. */
export type ClassifiedOne<Input> =
  | ({ readonly ok: true; readonly input: Input; readonly at: number } & Classified)
  | { readonly ok: false; readonly input: Input; readonly at: number; readonly error: CodedError }

/** What is known of a model. */
export interface ModelInfo {
  readonly name: string
  readonly state: string
  readonly engine: string | null
  readonly device: string | null
  readonly labels: readonly string[]
  readonly input: { readonly width: number; readonly height: number } | null
  readonly version: string
  readonly warnings: readonly string[]
}

/** Models that are loaded, each in a child process of its own. */
export interface Tandem extends AsyncDisposable {
  readonly models: readonly ModelInfo[]
  classify(model: string, picture: Picture, options?: ClassifyOptions): Promise<Classified>
  /**
   * One result for each picture, in their order. A picture that fails is a result too. Pictures are taken only as fast as
   * results are read, so that a list may be endless.
   */
  classifyAll<Input extends Picture>(
    model: string,
    pictures: Iterable<Input> | AsyncIterable<Input>,
    options?: ClassifyAllOptions,
  ): AsyncGenerator<ClassifiedOne<Input>, void, undefined>
  /** The whole API, and without a prefix also the pages, as a listener for node:http; Express accepts the listener too. */
  handler(options?: MountOptions): ReturnType<typeof nodeHandler>
  /** The same as a middleware for Koa. */
  koa(options?: MountOptions): KoaMiddleware
  /** Refuses new calls, waits for the accepted ones, and ends the child processes. */
  close(): Promise<void>
}

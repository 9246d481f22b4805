import type { Calls } from '../../broker/broker.ts'
import type { Features } from '../models/features.ts'
import type { Guess, Timing } from '../models/guess.ts'
import type { OtherOutputs } from '../models/other-outputs.ts'
import type { HttpHandler, KoaMiddleware, MountOptions } from './mount-options.ts'
import type { Picture } from './read-picture.ts'

export interface CallOptions {
  /** gives the call up; its promise rejects with the reason of the signal */
  readonly signal?: AbortSignal | undefined
}

export interface ClassifyOptions extends CallOptions {
  /** number of guesses, from the best one; when left out, the model's own number */
  readonly top?: number | undefined
  /** only guesses with more than this probability */
  readonly threshold?: number | undefined
  /** called with the place in the queue: 1 is next, 0 means that the model has the picture */
  readonly onPosition?: ((position: number) => void) | undefined
}

export interface ClassifyAllOptions extends CallOptions {
  readonly top?: number | undefined
  readonly threshold?: number | undefined
  /** number of pictures in work at a time; auto keeps the model busy while the next pictures are read */
  readonly concurrency?: number | 'auto' | undefined
}

export interface EmbedOptions extends CallOptions {
  /** divides the numbers by the length of the vector */
  readonly normalize?: boolean | undefined
  /** `mean` averages a map over its places: one vector */
  readonly pool?: 'mean' | 'none' | undefined
}

/** What each answer of a model has. */
export interface Answered {
  readonly model: string
  /** identifies the weights and the preparation of pictures; empty if the pipeline does not say */
  readonly version: string
  /** milliseconds of each stage */
  readonly timing: Timing
  /** of a model with several outputs: the numbers of those that are not served */
  readonly outputs?: OtherOutputs
}

/** The answer of a model for one picture. */
export interface Classified extends Answered {
  /** from the most probable class to the least */
  readonly guesses: readonly Guess[]
  /** the answer as it is, for a pipeline of your own that does not answer with guesses; then `guesses` is empty */
  readonly value: unknown
}

/** The answer of a model without classes: a vector, or a map with a vector in each place. */
export interface Embedded extends Answered, Features {}

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
  readonly state: ReturnType<Calls['stats']>['state']
  /** why the model is not ready */
  readonly error: { readonly code: string; readonly message: string; readonly permanent: boolean } | null
  /** how far the start is */
  readonly progress: { readonly fraction: number; readonly word: string } | null
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
  /** Resolves when all models are ready, and rejects with the first failure. */
  ready(): Promise<void>
  classify(model: string, picture: Picture, options?: ClassifyOptions): Promise<Classified>
  /**
   * One result for each picture, in their order. A picture that fails is a result too. Pictures are taken only as fast as
   * results are read, so that a list may be endless. While the queue is full, the pictures wait.
   */
  classifyAll<Input extends Picture>(
    model: string,
    pictures: Iterable<Input> | AsyncIterable<Input>,
    options?: ClassifyAllOptions,
  ): AsyncGenerator<ClassifiedOne<Input>, void, undefined>
  /** The features of a picture, by a model whose settings have "kind": "features". */
  embed(model: string, picture: Picture, options?: EmbedOptions): Promise<Embedded>
  /** Calls a pipeline of your own (the setting `pipeline`) with any input that can be cloned; gives its answer. */
  call<Result = unknown>(model: string, input: unknown, options?: CallOptions): Promise<Result>
  /** The API as a listener for node:http, or a middleware for Express. Pages and older APIs belong to the service. */
  handler(options?: MountOptions): HttpHandler
  /** The same as a middleware for Koa. */
  koa(options?: MountOptions): KoaMiddleware
  /** Refuses new calls, waits for the accepted ones, and ends the child processes. */
  close(): Promise<void>
}

import type { Picture } from '../library/read-picture.ts'
import type { Guess } from '../models/guess.ts'
import type { OtherOutputs } from '../models/other-outputs.ts'

/** A picture, and what the user calls it. */
export interface NamedPicture {
  readonly name: string
  readonly picture: Picture
}

/** The result for one picture: the answer of the model, or an error. */
export interface Outcome {
  readonly file: string
  readonly model: string
  /** undefined if a pipeline of the user's own answers with something else */
  readonly guesses?: readonly Guess[] | undefined
  readonly value?: unknown
  readonly outputs?: OtherOutputs | undefined
  readonly error?: { readonly code: string; readonly message: string }
}

/** A model that is ready for pictures, here or on a server. */
export interface Asked {
  readonly model: string
  /** one outcome for each picture, in their order */
  outcomes(pictures: readonly NamedPicture[]): AsyncIterable<Outcome>
  close(): Promise<void>
}

export interface Wanted {
  /** number of guesses; when left out, the model's own number */
  readonly top: number | undefined
  /** only guesses with more than this probability */
  readonly threshold: number | undefined
}

export function failed(file: string, model: string, error: unknown): Outcome {
  const message = error instanceof Error ? error.message : String(error)
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'ERR_INTERNAL'
  return { file, model, error: { code, message } }
}

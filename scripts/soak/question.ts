import { markPicture } from '../shared/mark-picture.ts'
import type { Picture } from '../shared/picture.ts'

/** One class of an answer. For answers without classes: a text that must stay the same. */
export interface Guess {
  readonly label: string
  readonly probability: number
}

export interface Request {
  readonly method: 'GET' | 'POST' | 'DELETE'
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Buffer
}

/** A request whose right answer is always the same. */
export interface Question {
  /** the row of the report */
  readonly route: string
  readonly status: number
  /** The code of the right answer, where it is an error. */
  readonly code?: string
  /** whether the service keeps the answer for a report of a wrong prediction */
  readonly isKept?: boolean
  /** whether the answer is long enough to be read slowly */
  readonly isLong?: boolean
  /**
   * A mark makes other bytes of the same pixels, so that the service cannot answer from its cache. `lastId` is the id of
   * the newest prediction.
   */
  request(mark: string | undefined, lastId: string): Request
  /** Throws for an answer of another shape. */
  read(text: string): readonly Guess[]
}

export function marked(picture: Picture, mark: string | undefined): Picture {
  return mark === undefined ? picture : { ...picture, bytes: markPicture(picture.bytes, mark) }
}

/** A text that must stay the same, as the only guess. */
export function same(text: string): readonly Guess[] {
  return [{ label: text, probability: 1 }]
}

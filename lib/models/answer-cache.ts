import type { CallTiming } from '../../broker/broker.ts'
import { RecentMap } from '../cache/recent-map.ts'
import { featuresIn } from './features.ts'
import { countOf, type OtherOutputs } from './other-outputs.ts'
import { SharedCalls, type SharedWork, type Waiting } from './shared-calls.ts'
import type { Guessed } from './wanted-guesses.ts'

/** A model's answer for an image, with the time that each stage took. */
export interface TimedAnswer extends Guessed {
  /** the version that has computed the answer; empty if the pipeline reports none */
  readonly version: string
  readonly timing: CallTiming & Origin
  /** of a model with several outputs: those that are not served */
  readonly outputs?: OtherOutputs
}

/** Set if the answer was not computed for this request. */
export interface Origin {
  /** kept from an earlier request with the same image */
  readonly cached?: true
  /** computed for another request that came with the same image at the same time */
  readonly shared?: true
}

/** The cache key. The count is part of the key: a short answer cannot serve a request for all classes. */
export interface Question {
  readonly model: string
  readonly version: string
  readonly sha256: string
  /** how many guesses are asked for */
  readonly count: number
  /** how many the model can give */
  readonly classes: number
}

export interface AnswerCacheOptions {
  /** 0 turns keeping and sharing off */
  readonly entries: number
  /** counts where each answer came from */
  count(model: string, outcome: 'hit' | 'shared' | 'miss'): void
}

/** Average number of guesses per entry: an entry with all thousand guesses takes the room of a hundred. */
const GUESSES_PER_ENTRY = 10
/** About as much as the objects of a guess take. */
const BYTES_PER_GUESS = 200
const BYTES_PER_NUMBER = 8
export const NO_TIME: CallTiming = { queue: 0, prepare: 0, predict: 0, total: 0, batch: 0 }

/** The cache of answers: keeps them for later requests, and lets simultaneous requests share one computation. */
export class AnswerCache {
  readonly #options: AnswerCacheOptions
  readonly #kept: RecentMap<TimedAnswer> | undefined
  readonly #inFlight = new SharedCalls<TimedAnswer>()

  constructor(options: AnswerCacheOptions) {
    const { entries } = options
    this.#options = options
    if (entries === 0) return
    this.#kept = new RecentMap({ max: entries, maxSize: entries * GUESSES_PER_ENTRY, sizeOf })
  }

  /** A kept answer, or the result of `compute`. For a model without a version, nothing is kept or shared. */
  async answer(
    question: Question,
    waiting: Waiting,
    compute: (waiting: Waiting) => Promise<TimedAnswer>,
  ): Promise<TimedAnswer> {
    const kept = this.#kept
    const { model, version, classes } = question
    if (kept === undefined || version === '') return compute(waiting)
    const key = keyOf(question)
    const earlier = kept.get(keyOf({ ...question, count: classes })) ?? kept.get(key)
    if (earlier) {
      this.#options.count(model, 'hit')
      return { ...earlier, timing: { ...NO_TIME, cached: true } }
    }
    const isShared = this.#inFlight.has(key)
    this.#options.count(model, isShared ? 'shared' : 'miss')
    const answer = await this.#inFlight.run(key, waiting, async (shared) => {
      const computed = await compute(toWaiting(shared, waiting))
      // Another version may have answered: a child that was restarted meanwhile, or another host.
      if (computed.version !== '') kept.set(keyOf({ ...question, version: computed.version }), computed)
      return computed
    })
    return isShared ? { ...answer, timing: { ...answer.timing, shared: true } } : answer
  }
}

/** In guesses. Features and other outputs take as much room as their numbers need. */
function sizeOf({ value, outputs }: TimedAnswer): number {
  const others = Math.ceil((countOf(outputs) * BYTES_PER_NUMBER) / BYTES_PER_GUESS)
  if (Array.isArray(value)) return Math.max(1, value.length + others)
  const features = featuresIn(value)
  return 1 + others + (features ? Math.ceil(features.values.byteLength / BYTES_PER_GUESS) : 0)
}

function keyOf({ model, version, sha256, count }: Question): string {
  return JSON.stringify([model, version, sha256, count])
}

/** Positions in the queue are reported only if the caller that begins the work asks for them. */
function toWaiting({ signal, tell }: SharedWork, { onPosition }: Waiting): Waiting {
  return onPosition ? { signal, onPosition: tell } : { signal }
}

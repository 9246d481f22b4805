import { LRUCache } from 'lru-cache'
import type { CallTiming } from '../../broker/broker.ts'
import { SharedCalls, type SharedWork, type Waiting } from './shared-calls.ts'
import type { Guessed } from './wanted-guesses.ts'

/** What a model said to an image, and where the time went. */
export interface TimedAnswer extends Guessed {
  readonly timing: CallTiming & Origin
}

/** An answer that was not computed for its request says so. */
export interface Origin {
  /** kept from an earlier request with the same image */
  readonly cached?: true
  /** computed for another request that came with the same image at the same time */
  readonly shared?: true
}

/** What an answer is known by. The count is part of it: a short answer cannot serve a request for all classes. */
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
  /** 0 keeps no answer, and shares none */
  readonly entries: number
  /** told how each answer was come by */
  count(model: string, outcome: 'hit' | 'shared' | 'miss'): void
  /** the version that a model answers by now: what another one computed is not kept under it */
  versionOf(model: string): string
}

/** Guesses that an entry has on average; one with all thousand takes the room of many. */
const GUESSES_PER_ENTRY = 10
export const NO_TIME: CallTiming = { queue: 0, prepare: 0, predict: 0, total: 0, batch: 0 }

/** Answers for the same image again: kept for later requests, and computed once for those that come together. */
export class AnswerCache {
  readonly #options: AnswerCacheOptions
  readonly #kept: LRUCache<string, TimedAnswer> | undefined
  readonly #inFlight = new SharedCalls<TimedAnswer>()

  constructor(options: AnswerCacheOptions) {
    const { entries } = options
    this.#options = options
    if (entries === 0) return
    const sizeCalculation = ({ value }: TimedAnswer) => Math.max(1, Array.isArray(value) ? value.length : 1)
    this.#kept = new LRUCache({ max: entries, maxSize: entries * GUESSES_PER_ENTRY, sizeCalculation })
  }

  /** An answer that is known, or the one that `compute` is awaited for. Without a version, no two are known to be alike. */
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
      // A child that was started meanwhile may answer by other weights.
      if (this.#options.versionOf(model) === version) kept.set(key, computed)
      return computed
    })
    return isShared ? { ...answer, timing: { ...answer.timing, shared: true } } : answer
  }
}

function keyOf({ model, version, sha256, count }: Question): string {
  return JSON.stringify([model, version, sha256, count])
}

/** The queue is watched only where the caller that begins the work wants to know its place. */
function toWaiting({ signal, tell }: SharedWork, { onPosition }: Waiting): Waiting {
  return onPosition ? { signal, onPosition: tell } : { signal }
}

import { LRUCache } from 'lru-cache'
import type { Broker, BrokerStats, CallTiming } from '../../broker/broker.ts'
import { HttpError } from '../http/errors.ts'
import { digest } from '../image/digest.ts'
import type { Metrics } from '../status/metrics.ts'
import { SharedCalls, type SharedWork, type Waiting } from './shared-calls.ts'
import { ALL_GUESSES, cutGuesses, guessesToAsk, isCutShort, type Wanted } from './wanted-guesses.ts'

export interface Classification {
  readonly model: string
  /** of the weights and all that is done to an image; empty when the pipeline does not tell */
  readonly version: string
  readonly sha256: string
  /** what the pipeline answered; the web process does not look inside */
  readonly value: unknown
  readonly timing: CallTiming & Origin
}

/** An answer that was not computed for its request says so. */
export interface Origin {
  /** kept from an earlier request with the same image */
  readonly cached?: true
  /** computed for another request that came with the same image at the same time */
  readonly shared?: true
}

export interface Classifier {
  readonly models: readonly string[]
  classify(model: string, bytes: Uint8Array, wanted: Wanted, waiting: Waiting): Promise<Classification>
  /** the names of a model's classes, once its child has told them */
  labels(model: string): readonly string[]
}

export interface ClassifierOptions {
  readonly cacheEntries: number
  /** a pipeline of the user's own gets the bytes alone, and its answers are not known to repeat */
  readonly pipeline: string
}

type Answer = Pick<Classification, 'value' | 'timing'>

interface Known extends Pick<Classification, 'model' | 'version' | 'sha256'> {
  /** how many the model tells apart */
  readonly classes: number
}

/** While no child is there that would say it. */
const USUAL_GUESSES = 5
/** Guesses that an entry of the cache has on average; one with all thousand takes the room of many. */
const GUESSES_PER_ENTRY = 10
const NO_TIME: CallTiming = { queue: 0, prepare: 0, predict: 0, total: 0, batch: 0 }

/** What routes call: a model's name and bytes in, predictions out. */
export function createClassifier(
  brokers: ReadonlyMap<string, Broker>,
  { cacheEntries, pipeline }: ClassifierOptions,
  metrics: Pick<Metrics, 'countCached'>,
): Classifier {
  const isBuiltIn = pipeline === ''
  const kept = cacheOf(cacheEntries)
  const inFlight = new SharedCalls<Answer>()

  async function classify(
    model: string,
    bytes: Uint8Array,
    wanted: Wanted,
    waiting: Waiting,
  ): Promise<Classification> {
    const start = performance.now()
    const broker = brokers.get(model)
    if (broker === undefined)
      throw new HttpError('ERR_MODEL_UNKNOWN', `No model called "${model}" is served.`)
    const stats = broker.stats()
    mustHaveBegun(model, stats)
    const { version, usual, classes } = describe(stats.info)
    const sha256 = await digest('sha256', bytes)
    const known = { model, version, sha256, classes }
    if (!isBuiltIn) {
      // It knows nothing of how many guesses are wanted; of a list the first are shown.
      const { value, timing } = await call(broker, bytes, waiting)
      return { ...known, value: cutGuesses(value, { top: wanted.top }, ALL_GUESSES), timing }
    }
    const ask = async (count: number) => {
      const answer = await once(broker, known, { image: bytes, top: count }, waiting)
      return { answer, count }
    }
    let { answer, count } = await ask(Math.min(guessesToAsk(wanted, usual), classes))
    if (count < classes && isCutShort(answer.value, wanted, count)) ({ answer, count } = await ask(classes))
    const total = performance.now() - start
    const timing = answer.timing.cached || answer.timing.shared ? { ...answer.timing, total } : answer.timing
    return { ...known, value: cutGuesses(answer.value, wanted, usual), timing }
  }

  /** From the cache, with somebody else who waits for the same, or from the model. */
  async function once(
    broker: Broker,
    { model, version, sha256, classes }: Known,
    input: { image: Uint8Array; top: number },
    waiting: Waiting,
  ): Promise<Answer> {
    if (kept === undefined || version === '') return call(broker, input, waiting)
    const all = keyOf(model, version, sha256, classes)
    const key = keyOf(model, version, sha256, input.top)
    const earlier = kept.get(all) ?? kept.get(key)
    if (earlier) {
      metrics.countCached(model, 'hit')
      return { value: earlier.value, timing: { ...NO_TIME, cached: true } }
    }
    const isShared = inFlight.has(key)
    metrics.countCached(model, isShared ? 'shared' : 'miss')
    const answer = await inFlight.run(key, waiting, async (shared) => {
      const computed = await call(broker, input, toWaiting(shared, waiting))
      kept.set(key, computed)
      return computed
    })
    return isShared ? { value: answer.value, timing: { ...answer.timing, shared: true } } : answer
  }

  return {
    models: [...brokers.keys()],
    classify,
    labels(model) {
      const { labelNames } = fieldsOf(brokers.get(model)?.stats().info)
      return Array.isArray(labelNames) ? labelNames.map(String) : []
    },
  }
}

function cacheOf(entries: number): LRUCache<string, Answer> | undefined {
  if (entries === 0) return undefined
  const sizeCalculation = ({ value }: Answer) => Math.max(1, Array.isArray(value) ? value.length : 1)
  return new LRUCache({ max: entries, maxSize: entries * GUESSES_PER_ENTRY, sizeCalculation })
}

async function call(broker: Broker, input: unknown, { signal, onPosition }: Waiting): Promise<Answer> {
  let timing = NO_TIME
  const onTiming = (measured: CallTiming) => {
    timing = measured
  }
  const value = await broker.call('predict', input, { signal, onTiming, ...(onPosition && { onPosition }) })
  return { value, timing }
}

/** Of how many guesses an answer is made is part of it: one with few does not serve who wants them all. */
function keyOf(model: string, version: string, sha256: string, count: number): string {
  return JSON.stringify([model, version, sha256, count])
}

/** The queue is watched only where the caller that begins the work wants to know its place. */
function toWaiting({ signal, tell }: SharedWork, { onPosition }: Waiting): Waiting {
  return onPosition ? { signal, onPosition: tell } : { signal }
}

/** Which weights and settings it answers by, how many classes it knows, and how many of them it names unasked. */
function describe(info: unknown): { version: string; usual: number; classes: number } {
  const { version, top, labels } = fieldsOf(info)
  return {
    classes: typeof labels === 'number' ? labels : ALL_GUESSES,
    version: typeof version === 'string' ? version : '',
    usual: typeof top === 'number' ? top : USUAL_GUESSES,
  }
}

function fieldsOf(info: unknown): {
  version?: unknown
  top?: unknown
  labels?: unknown
  labelNames?: unknown
} {
  return typeof info === 'object' && info !== null ? info : {}
}

/** A first start may download for minutes. A restart takes a moment, and its calls wait in the broker. */
function mustHaveBegun(model: string, { state, progress }: BrokerStats): void {
  if (state !== 'starting') return
  const how = progress ? `: ${progress.word.replace(/\.$/, '')}` : ''
  throw new HttpError(
    'ERR_NOT_READY',
    `The model "${model}" is not ready yet${how}. /readyz tells how far it is.`,
  )
}

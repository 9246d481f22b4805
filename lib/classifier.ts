import { LRUCache } from 'lru-cache'
import type { Broker, CallTiming } from '../broker/broker.ts'
import { digest } from './digest.ts'
import { HttpError } from './errors.ts'
import type { Metrics } from './metrics.ts'
import { SharedCalls, type SharedWork, type Waiting } from './shared-calls.ts'

/** Which guesses are wanted; what is left out is as the model has it. */
export interface Wanted {
  /** how many at most */
  readonly top?: number | undefined
  /** only those with more than this probability */
  readonly above?: number | undefined
}

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
    mustHaveBegun(model, broker)
    const sha256 = await digest('sha256', bytes)
    const version = versionOf(broker)
    const known = { model, version, sha256 }
    const input = isBuiltIn ? imageInput(bytes, wanted) : bytes
    if (kept === undefined || !isBuiltIn || version === '') {
      return { ...known, ...cut(await call(broker, input, waiting), isBuiltIn ? {} : wanted) }
    }
    const key = JSON.stringify([model, version, sha256, wanted.top, wanted.above])
    const elapsed = () => ({ ...NO_TIME, total: performance.now() - start })
    const earlier = kept.get(key)
    if (earlier) {
      metrics.countCached(model, 'hit')
      return { ...known, value: earlier.value, timing: { ...elapsed(), cached: true } }
    }
    const isShared = inFlight.has(key)
    metrics.countCached(model, isShared ? 'shared' : 'miss')
    const answer = await inFlight.run(key, waiting, async (shared) => {
      const computed = await call(broker, input, toWaiting(shared, waiting))
      kept.set(key, computed)
      return computed
    })
    if (!isShared) return { ...known, ...answer }
    return {
      ...known,
      value: answer.value,
      timing: { ...answer.timing, ...totalOf(elapsed()), shared: true },
    }
  }

  return {
    models: [...brokers.keys()],
    classify,
    labels(model) {
      const { labelNames } = infoOf(brokers.get(model))
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

function imageInput(image: Uint8Array, { top, above }: Wanted): unknown {
  if (top === undefined && above === undefined) return image
  return { image, ...(top !== undefined && { top }), ...(above !== undefined && { above }) }
}

/** A pipeline of the user's own knows nothing of how many guesses are wanted; of a list the first are shown. */
function cut({ value, timing }: Answer, { top }: Wanted): Answer {
  return { value: Array.isArray(value) && top !== undefined ? value.slice(0, top) : value, timing }
}

/** The queue is watched only where the caller that begins the work wants to know its place. */
function toWaiting({ signal, tell }: SharedWork, { onPosition }: Waiting): Waiting {
  return onPosition ? { signal, onPosition: tell } : { signal }
}

function totalOf({ total }: CallTiming): { total: number } {
  return { total }
}

function versionOf(broker: Broker): string {
  const { version } = infoOf(broker)
  return typeof version === 'string' ? version : ''
}

function infoOf(broker: Broker | undefined): { version?: unknown; labelNames?: unknown } {
  const info = broker?.stats().info
  return typeof info === 'object' && info !== null ? info : {}
}

/** A first start may download for minutes. A restart takes a moment, and its calls wait in the broker. */
function mustHaveBegun(model: string, broker: Broker): void {
  const { state, progress } = broker.stats()
  if (state !== 'starting') return
  const how = progress ? `: ${progress.word.replace(/\.$/, '')}` : ''
  throw new HttpError(
    'ERR_NOT_READY',
    `The model "${model}" is not ready yet${how}. /readyz tells how far it is.`,
  )
}

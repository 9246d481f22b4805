import { BrokerError, type BrokerStats, type Calls, type CallTiming } from '../../broker/broker.ts'
import { HttpError, unknownModel } from '../http/errors.ts'
import { digest } from '../image/digest.ts'
import { AnswerCache, type AnswerCacheOptions, NO_TIME, type TimedAnswer } from './answer-cache.ts'
import type { Brokers } from './brokers.ts'
import { guessesIn } from './guess.ts'
import { readyStandIn } from './model-subject.ts'
import { splitAnswer } from './other-outputs.ts'
import type { PipelineInfos } from './pipeline-info.ts'
import type { Waiting } from './shared-calls.ts'
import { ALL_GUESSES, cutGuesses, guessesToAsk, isCutShort, type WantedGuesses } from './wanted-guesses.ts'

export interface Classification extends TimedAnswer {
  readonly model: string
  readonly sha256: string
}

export interface Classifier {
  readonly models: readonly string[]
  /** Throws if no model of this name is served. */
  mustServe(model: string): void
  classify(model: string, bytes: Uint8Array, wanted: WantedGuesses, waiting: Waiting): Promise<Classification>
}

export interface ClassifierOptions {
  readonly cacheEntries: number
  /** the user's own pipeline, which gets the bytes alone and whose answers are not kept; empty for the built-in one */
  readonly pipeline: string
}

/** Used until the model has reported its own number. */
const USUAL_GUESSES = 5

/** Classifies images for the routes: from a model's name and the bytes of an image to guesses. */
export function createClassifier(
  brokers: Brokers,
  { cacheEntries, pipeline }: ClassifierOptions,
  infos: PipelineInfos,
  count: AnswerCacheOptions['count'],
): Classifier {
  const isBuiltIn = pipeline === ''
  const cache = new AnswerCache({ entries: cacheEntries, count })

  function brokerOf(model: string): Calls {
    const broker = brokers.get(model)
    if (broker === undefined) throw unknownModel(model)
    return broker
  }

  async function classify(
    model: string,
    bytes: Uint8Array,
    wanted: WantedGuesses,
    waiting: Waiting,
  ): Promise<Classification> {
    const start = performance.now()
    const broker = brokerOf(model)
    const stats = broker.stats()
    mustHaveBegun(model, stats, () => (isBuiltIn ? readyStandIn(brokers, infos, model) : undefined))
    const info = infos.of(model, stats)
    const { version = '' } = info ?? {}
    const usual = info?.usual ?? USUAL_GUESSES
    const classes = info?.classes ?? ALL_GUESSES
    const sha256 = await digest('sha256', bytes)
    const known = { model, sha256 }
    if (!isBuiltIn) {
      // The user's own pipeline is not told how many guesses are wanted.
      const { value, timing, version } = await call(broker, infos, bytes, waiting)
      const answer = { value, guesses: guessesIn(value) }
      return { ...known, version, ...cutGuesses(answer, { top: wanted.top }, ALL_GUESSES), timing }
    }
    const ask = (count: number) =>
      cache.answer({ ...known, version, classes, count }, waiting, (waiting) =>
        callBuiltIn(broker, infos, { image: bytes, top: count }, waiting),
      )
    const asked = Math.min(guessesToAsk(wanted, usual), classes)
    const first = await ask(asked)
    const answer = asked < classes && isCutShort(first, wanted, asked) ? await ask(classes) : first
    const total = performance.now() - start
    const timing = answer.timing.cached || answer.timing.shared ? { ...answer.timing, total } : answer.timing
    const { outputs } = answer
    const cut = cutGuesses(answer, wanted, usual)
    return { ...known, version: answer.version, ...cut, ...(outputs && { outputs }), timing }
  }

  return { models: [...brokers.keys()], mustServe: (model) => void brokerOf(model), classify }
}

async function callBuiltIn(
  broker: Calls,
  infos: PipelineInfos,
  input: unknown,
  waiting: Waiting,
): Promise<TimedAnswer> {
  const { value: answer, ...others } = await call(broker, infos, input, waiting)
  const split = splitAnswer(answer)
  return { ...split, guesses: guessesIn(split.value), ...others }
}

async function call(
  broker: Calls,
  infos: PipelineInfos,
  input: unknown,
  { signal, onPosition }: Waiting,
): Promise<Pick<TimedAnswer, 'value' | 'timing' | 'version'>> {
  let timing = NO_TIME
  const onTiming = (measured: CallTiming) => {
    timing = measured
  }
  let version = ''
  const onInfo = (info: unknown) => {
    version = infos.read(info).version
  }
  const options = { signal, onTiming, onInfo, ...(onPosition && { onPosition }) }
  const value = await broker.call('predict', input, options).catch((error: unknown) => {
    throw imageError(error)
  })
  return { value, timing, version }
}

/** The broker knows no images. A client gets one code, whether the headers or the decoding showed the cost. */
function imageError(error: unknown): unknown {
  if (!(error instanceof BrokerError) || error.code !== 'ERR_COST') return error
  const message = 'The image takes too much time or memory to decode.'
  return new HttpError('ERR_IMAGE_COST', message, {}, { cause: error })
}

/** Refuses calls during the first start, which may download for minutes. During a restart, calls wait in the broker. */
function mustHaveBegun(
  model: string,
  { state, progress }: BrokerStats,
  standIn: () => string | undefined,
): void {
  if (state !== 'starting') return
  const other = standIn()
  const meanwhile = other === undefined ? '' : ` Meanwhile, "${other}" is ready: POST /${other}.`
  const how = progress ? `: ${progress.word.replace(/\.$/, '')}` : ''
  throw new HttpError(
    'ERR_NOT_READY',
    `The model "${model}" is not ready yet${how}. GET /readyz shows the progress.${meanwhile}`,
  )
}

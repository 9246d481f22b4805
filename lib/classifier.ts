import type { Broker, CallTiming } from '../broker/broker.ts'
import { HttpError } from './errors.ts'

export interface Classification {
  readonly model: string
  /** what the pipeline answered; the web process does not look inside */
  readonly value: unknown
  readonly timing: CallTiming
}

export interface Classifier {
  readonly models: readonly string[]
  classify(model: string, input: Uint8Array, signal: AbortSignal): Promise<Classification>
}

/** What routes call: a model's name and bytes in, predictions out. */
export function createClassifier(brokers: ReadonlyMap<string, Broker>): Classifier {
  return {
    models: [...brokers.keys()],
    async classify(model, input, signal) {
      const broker = brokers.get(model)
      if (broker === undefined)
        throw new HttpError('ERR_MODEL_UNKNOWN', `No model called "${model}" is served.`)
      mustHaveBegun(model, broker)
      let timing: CallTiming = { queue: 0, prepare: 0, predict: 0, total: 0, batch: 0 }
      const onTiming = (measured: CallTiming) => {
        timing = measured
      }
      const value = await broker.call('predict', input, { signal, onTiming })
      return { model, value, timing }
    },
  }
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

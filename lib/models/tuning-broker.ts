import { Broker } from '../../broker/broker.ts'
import type { Config } from '../config/config.ts'
import type { brokerOptions } from './brokers.ts'
import type { ModelTuning } from './model-tuning.ts'

/** What one step of a tuning answers. */
export type TuneAnswer =
  | { readonly done: false; readonly fraction: number; readonly word: string }
  | { readonly done: true; readonly sentence: string | null; readonly tuning: Pick<ModelTuning, 'batches'> }

/** A step compiles or measures, with the lowest priority and perhaps on a busy machine. */
const STEP_MS = 20 * 60_000

/** A child process that tunes a model: each call of `step` is one measurement. */
export function tuningBroker(
  config: Config,
  { name }: Config['models'][number],
  options: ReturnType<typeof brokerOptions>,
): Broker {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  return new Broker({
    pipeline: new URL(`../../pipeline/tune-model.${extension}`, import.meta.url),
    name: `tuning ${name}`,
    options: { ...options, tuningMs: config.tuningMs, attempts: 1 },
    deadline: STEP_MS,
    hangTimeout: STEP_MS,
    startTimeout: STEP_MS,
  })
}

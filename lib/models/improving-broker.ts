import { Broker } from '../../broker/broker.ts'
import type { Config } from '../config/config.ts'
import type { brokerOptions } from './brokers.ts'
import type { ModelTuning } from './model-tuning.ts'

interface Step {
  readonly done: false
  readonly fraction: number
  readonly word: string
}

/** What one step of a tuning answers. */
export type TuneAnswer =
  | Step
  | { readonly done: true; readonly sentence: string | null; readonly tuning: Pick<ModelTuning, 'batches'> }

/** What one step of a calibration answers. The sentence is null if the model stays float. */
export type CalibrateAnswer = Step | { readonly done: true; readonly sentence: string | null }

/** A step compiles, measures or rounds weights, perhaps with the lowest priority and on a busy machine. */
const STEP_MS = 30 * 60_000

type Options = ReturnType<typeof brokerOptions>

export interface QuantizeOptions {
  /** Paths. */
  readonly pictures: readonly string[]
  readonly method: 'squares' | 'minmax'
  /** Dense layers alone become bytes. */
  readonly dense: boolean
  readonly target: number
}

/** A child process that tunes a model: each call of `step` is one measurement. */
export function tuningBroker(config: Config, name: string, options: Options): Broker {
  return improvingBroker('tune-model', `tuning ${name}`, { ...options, tuningMs: config.tuningMs })
}

/** A child process that quantizes a model with the pictures that calls of `add` bring. */
export function calibratingBroker(config: Config, name: string, options: Options): Broker {
  const more = { target: config.precisionAgreement }
  return improvingBroker('calibrate-model', `calibrating ${name}`, { ...options, ...more })
}

/** A child process that quantizes a model with the user's pictures. */
export function quantizingBroker(name: string, options: Options & QuantizeOptions): Broker {
  return improvingBroker('quantize-model', `quantizing ${name}`, { ...options, attempts: 3 })
}

function improvingBroker(module: string, name: string, options: Record<string, unknown>): Broker {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  return new Broker({
    pipeline: new URL(`../../pipeline/${module}.${extension}`, import.meta.url),
    name,
    options: { attempts: 1, ...options },
    deadline: STEP_MS,
    hangTimeout: STEP_MS,
    startTimeout: STEP_MS,
  })
}

import { z } from 'zod'
import { Guess, Timing } from './guess.ts'
import { OtherOutputs } from './other-outputs.ts'

const About = z.object({ model: z.string(), timing: Timing })

export const GuessAnswer = About.extend({ predictions: z.array(Guess), outputs: OtherOutputs.optional() })
export type GuessAnswer = z.output<typeof GuessAnswer>

const ListAnswer = About.extend({ predictions: z.array(z.unknown()) }).describe(
  'The answer of your own pipeline, if the answer is a list.',
)

export const FeatureAnswer = About.extend({
  shape: z.array(z.int()).describe('One length for a vector; height, width and channels for a map.'),
  features: z.array(z.number()),
  outputs: OtherOutputs.optional(),
})
export type FeatureAnswer = z.output<typeof FeatureAnswer>

const OtherAnswer = About.extend({ prediction: z.unknown() }).describe(
  'The answer of your own pipeline, if the answer is anything else.',
)

/** What `POST /<model>` answers with. */
export const ModelAnswer = z.union([
  GuessAnswer,
  ListAnswer,
  FeatureAnswer.describe('The answer of a model with "kind": "features"; see also POST /embed.'),
  OtherAnswer,
])

/** One line of the answer of `POST /<model>` as NDJSON, before the last one. */
export type CallState =
  | { readonly state: 'downloading' }
  /** the place in the queue: 1 is next */
  | { readonly state: 'queued'; readonly position: number }
  | { readonly state: 'predicting' }

/** The last line if the call has failed. */
export interface FailedState {
  readonly state: 'failed'
  readonly status: number
  /** seconds after which the same request can succeed */
  readonly retryAfter?: number
  readonly error: { readonly code: string; readonly message: string; readonly requestId: string }
}

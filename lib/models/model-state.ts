import { z } from 'zod'
import type { Calls } from '../../broker/broker.ts'
import type { Brokers } from './brokers.ts'
import { readPipelineInfo } from './pipeline-info.ts'

/** Why a model is not ready; null while the model is ready. */
export const ModelError = z
  .object({
    code: z.string(),
    message: z.string(),
    permanent: z
      .boolean()
      .describe("If true, the service tries again only when one of the model's files changes."),
  })
  .nullable()

/** The current state of one model, for pages and for JSON. */
export const ModelState = z.object({
  name: z.string(),
  state: z.string(),
  device: z.string().nullable(),
  reason: z.string().nullable().describe('Why this device was chosen.'),
  engine: z.string().nullable(),
  warnings: z
    .array(z.string())
    .describe('What slows the model down although it works, such as a folder that cannot be written.'),
  progress: z.object({ fraction: z.number(), word: z.string() }).nullable(),
  error: ModelError,
  restarts: z.int().describe('Number of child processes that died unexpectedly since the service started.'),
  queued: z.int(),
  inFlight: z.int(),
  workers: z.array(z.object({ pid: z.int().nullable(), state: z.string(), inFlight: z.int() })),
})
export type ModelState = z.output<typeof ModelState>

export function modelStates(brokers: Brokers): ModelState[] {
  return [...brokers].map(([name, broker]) => modelState(name, broker))
}

/** Device, reason, engine and warnings come from the current child. */
export function modelState(name: string, broker: Calls): ModelState {
  const stats = broker.stats()
  const { state, progress, error, restarts, queued, inFlight, workers } = stats
  const { device, reason, engine, warnings } = readPipelineInfo(stats)
  return {
    name,
    state,
    device,
    reason,
    engine,
    warnings: [...warnings],
    progress,
    error,
    restarts,
    queued,
    inFlight,
    workers: workers.map(({ pid, ...rest }) => ({ pid: pid ?? null, ...rest })),
  }
}

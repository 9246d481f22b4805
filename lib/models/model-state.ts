import { z } from 'zod'
import type { Broker } from '../../broker/broker.ts'
import type { Brokers } from './brokers.ts'
import { readPipelineInfo } from './pipeline-info.ts'

/** The current state of one model, for pages and for JSON. */
export const ModelState = z.object({
  name: z.string(),
  state: z.string(),
  device: z.string().nullable(),
  reason: z.string().nullable().describe('Why this device was chosen.'),
  engine: z.string().nullable(),
  progress: z.object({ fraction: z.number(), word: z.string() }).nullable(),
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
  restarts: z.int().describe('Number of child processes that died unexpectedly since the service started.'),
  queued: z.int(),
  inFlight: z.int(),
  workers: z.array(z.object({ pid: z.int().nullable(), state: z.string(), inFlight: z.int() })),
})
export type ModelState = z.output<typeof ModelState>

export function modelStates(brokers: Brokers): ModelState[] {
  return [...brokers].map(([name, broker]) => modelState(name, broker))
}

/** Device, reason and engine come from the current child. */
export function modelState(name: string, broker: Broker): ModelState {
  const stats = broker.stats()
  const { state, progress, error, restarts, queued, inFlight, workers } = stats
  const { device, reason, engine } = readPipelineInfo(stats)
  return {
    name,
    state,
    device,
    reason,
    engine,
    progress,
    error,
    restarts,
    queued,
    inFlight,
    workers: workers.map(({ pid, ...rest }) => ({ pid: pid ?? null, ...rest })),
  }
}

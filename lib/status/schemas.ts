import { z } from 'zod'
import { MODEL_COLUMNS } from './model-meter.ts'
import { SERVICE_COLUMNS } from './service-meter.ts'

const figures = z.array(z.number().nullable())
const columns = <Column extends string>(names: readonly Column[]) =>
  z.object(Object.fromEntries(names.map((name) => [name, figures])) as Record<Column, typeof figures>)

export const StatusQuery = z.object({
  since: z.coerce
    .number()
    .min(0)
    .optional()
    .describe('Only samples that were taken after this time, the newest `t` of the answer before.'),
})

const Model = z.object({
  name: z.string(),
  state: z.string(),
  device: z.string().nullable(),
  reason: z.string().nullable().describe('Why it is this device.'),
  engine: z.string().nullable(),
  progress: z.object({ fraction: z.number(), word: z.string() }).nullable(),
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
  restarts: z.int().describe('Children that died unasked, since the service started.'),
  queued: z.int(),
  inFlight: z.int(),
  workers: z.array(z.object({ pid: z.int().nullable(), state: z.string(), inFlight: z.int() })),
})

const Samples = columns(SERVICE_COLUMNS)
  .extend({
    t: z.array(z.number()).describe('When each sample was taken, in milliseconds since 1970.'),
    models: z.record(z.string(), columns(MODEL_COLUMNS)),
  })
  .describe(
    'Column by column, the oldest sample first; null where there was nothing to measure. Counts are per second, times ' +
      'in milliseconds, memory in bytes; batchSize is a mean, busy a part of 1, restarts a number.',
  )

export const StatusAnswer = z.object({
  now: z.number(),
  startedAt: z.number().describe('Milliseconds since 1970, as all times here.'),
  version: z.string(),
  interval: z.number().describe('Milliseconds from one sample to the next.'),
  draining: z.boolean().describe('Whether the service is about to end.'),
  models: z.array(Model),
  samples: Samples,
})

export type StatusAnswer = z.output<typeof StatusAnswer>

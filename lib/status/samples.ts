import { z } from 'zod'
import { MODEL_COLUMNS } from './model-meter.ts'
import { SERVICE_COLUMNS } from './service-meter.ts'

const figures = z.array(z.number().nullable())
const columns = <Column extends string>(names: readonly Column[]) =>
  z.object(Object.fromEntries(names.map((name) => [name, figures])) as Record<Column, typeof figures>)

/** The figures of the last quarter of an hour. */
export const Samples = columns(SERVICE_COLUMNS)
  .extend({
    t: z.array(z.number()).describe('When each sample was taken, in milliseconds since 1970.'),
    models: z.record(z.string(), columns(MODEL_COLUMNS)),
  })
  .describe(
    'Column by column, the oldest sample first; null where there was nothing to measure. Counts are per second, times ' +
      'in milliseconds, memory in bytes; batchSize is a mean, busy a part of 1, restarts a number.',
  )

export type Samples = z.output<typeof Samples>

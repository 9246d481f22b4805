import { z } from 'zod'
import { MODEL_COLUMNS } from './model-meter.ts'
import { SERVICE_COLUMNS } from './service-meter.ts'

const figures = z.array(z.number().nullable())
const columns = <Column extends string>(names: readonly Column[]) =>
  z.object(Object.fromEntries(names.map((name) => [name, figures])) as Record<Column, typeof figures>)

/** The figures of the last 15 minutes. */
export const Samples = columns(SERVICE_COLUMNS)
  .extend({
    t: z.array(z.number()).describe('When each sample was taken, in milliseconds since 1970.'),
    models: z.record(z.string(), columns(MODEL_COLUMNS)),
  })
  .describe(
    'Column by column, the oldest sample first; null if there was nothing to measure. Counts are per second, times are in ' +
      'milliseconds, memory is in bytes. batchSize is a mean, busy is from 0 to 1, restarts is a number per sample.',
  )

export type Samples = z.output<typeof Samples>

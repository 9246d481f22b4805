import type { Samples } from './samples.ts'

export type Latest = Readonly<Record<string, number | null>>

type Columns = Readonly<Record<string, readonly (number | null)[]>>

/** A second without calls has no latency, so the last known latency is shown for this many samples. */
const REMEMBERED = 10
const REMEMBERED_COLUMNS = /P\d\d$|^batchSize$/

/** The newest figure of each column; null if there is none. */
export function latestOf(samples: Samples): {
  service: Latest
  models: ReadonlyMap<string, Latest>
} {
  const { models, ...service } = samples
  return {
    service: newest(service),
    models: new Map(Object.entries(models).map(([name, columns]) => [name, newest(columns)])),
  }
}

function newest(columns: Columns): Latest {
  return Object.fromEntries(
    Object.entries(columns).map(([name, figures]) => {
      const looked = figures.slice(REMEMBERED_COLUMNS.test(name) ? -REMEMBERED : -1)
      return [name, looked.findLast((figure) => figure !== null) ?? null]
    }),
  )
}

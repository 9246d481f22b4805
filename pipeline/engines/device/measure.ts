import type { Engine } from '../engine.ts'

export interface Measured {
  /** The engine's answer to the sample. */
  readonly output: Float32Array
  /** Milliseconds that one batch takes. */
  readonly ms: number
}

// The first run is not counted, since a GPU compiles its shaders then. The others are enough to outvote one slow run,
// and few enough, since the service is not ready before they end.
const MAX_RUNS = 5
const ENOUGH_MS = 500

/** The time is the median of a few runs. */
export async function measure(engine: Engine, sample: Uint8Array, batch: number): Promise<Measured> {
  const output = await engine.run(sample, batch)
  const times: number[] = []
  const end = performance.now() + ENOUGH_MS
  do {
    const start = performance.now()
    await engine.run(sample, batch)
    times.push(performance.now() - start)
  } while (times.length < MAX_RUNS && performance.now() < end)
  times.sort((a, b) => a - b)
  return { output, ms: times[times.length >> 1] ?? Number.POSITIVE_INFINITY }
}

import type { Engine } from '../engines/engine.ts'
import { samplePixels } from '../engines/sample-pixels.ts'
import type { BatchTime } from './tuning.ts'

const RUNS = 2
/** Small batches are run more often: a single disturbance would decide on the size of all batches. */
const ENOUGH_MS = 250

/** How long batches of 1, 2, 4 and so on take, up to the largest one, as far as there is time. `oneMs`: what one image took before. */
export async function measureBatches(
  engine: Engine,
  maxBatch: number,
  leftMs: number,
  oneMs = Number.POSITIVE_INFINITY,
): Promise<BatchTime[]> {
  const end = performance.now() + leftMs
  const times: BatchTime[] = []
  for (const size of sizesUpTo(maxBatch)) {
    const before = times.at(-1)
    // The next batch takes about twice as long as the last one, and is run twice and once to warm up.
    if (before && performance.now() + before.ms * 2 * (RUNS + 1) > end) break
    const pixels = samplePixels(engine, size)
    // The first run allocates memory.
    await engine.run(pixels, size)
    let best = size === 1 ? oneMs : Number.POSITIVE_INFINITY
    const enough = performance.now() + ENOUGH_MS
    for (let run = 0; run < RUNS || performance.now() < Math.min(enough, end); run++) {
      const start = performance.now()
      await engine.run(pixels, size)
      best = Math.min(best, performance.now() - start)
    }
    times.push({ size, ms: best })
  }
  return times
}

function sizesUpTo(most: number): number[] {
  const sizes = [1]
  while ((sizes.at(-1) ?? 1) * 2 <= most) sizes.push((sizes.at(-1) ?? 1) * 2)
  return sizes.at(-1) === most ? sizes : [...sizes, most]
}

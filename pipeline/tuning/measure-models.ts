import type { Engine } from '../engines/engine.ts'
import { samplePixels } from '../engines/sample-pixels.ts'

const FEWEST_RUNS = 3
const MOST_RUNS = 12
const ENOUGH_MS = 2_000

/** Milliseconds for one image on each of two engines, measured in turn: what slows the machine down slows down both. */
export async function measureInTurn(
  first: Engine,
  second: Engine,
  leftMs: number,
): Promise<[number, number]> {
  const pixels = samplePixels(first, 1)
  const best: [number, number] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
  const end = performance.now() + Math.min(leftMs, ENOUGH_MS)
  for (let run = 0; run < FEWEST_RUNS || (run < MOST_RUNS && performance.now() < end); run++) {
    for (const [at, engine] of [first, second].entries()) {
      const start = performance.now()
      await engine.run(pixels, 1)
      const ms = performance.now() - start
      if (ms < (best[at] ?? 0)) best[at] = ms
    }
  }
  return best
}

// More than one image: a form may be right for the first image of a batch alone.
const IMAGES = 2

/** The largest difference between the answers of two engines, relative to the largest number; NaN for a missing number. */
export async function differenceOf(engine: Engine, direct: Engine): Promise<number> {
  const pixels = samplePixels(direct, IMAGES)
  const expected = (await direct.run(pixels, IMAGES)).slice()
  const found = await engine.run(pixels, IMAGES)
  let [largest, difference] = [0, 0]
  for (const [i, value] of expected.entries()) {
    largest = Math.max(largest, Math.abs(value))
    difference = Math.max(difference, Math.abs(value - (found[i] ?? Number.NaN)))
  }
  return difference === 0 ? 0 : difference / largest
}

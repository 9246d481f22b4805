import { setTimeout as pause } from 'node:timers/promises'
import type { Engine } from '../engines/engine.ts'
import { relativeDifference } from '../engines/relative-difference.ts'
import { samplePixels } from '../engines/sample-pixels.ts'

const FEWEST_ROUNDS = 2
const MOST_ROUNDS = 6
const ENOUGH_MS = 3_000
const RUNS = 2
/** The threads of a session spin for some time after a run, on the cores that the other session needs. */
const PAUSE_MS = 60

/** Milliseconds for one image on each of two engines, measured in turn: what slows the machine down slows down both. */
export async function measureInTurn(
  first: Engine,
  second: Engine,
  leftMs: number,
): Promise<[number, number]> {
  const pixels = samplePixels(first, 1)
  const best: [number, number] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
  const end = performance.now() + Math.min(leftMs, ENOUGH_MS)
  for (let round = 0; round < FEWEST_ROUNDS || (round < MOST_ROUNDS && performance.now() < end); round++) {
    for (const [at, engine] of [first, second].entries()) {
      await pause(PAUSE_MS)
      // Fills the caches of the CPU.
      await engine.run(pixels, 1)
      best[at] = Math.min(best[at] ?? 0, await fastestOf(engine, pixels))
    }
  }
  return best
}

async function fastestOf(engine: Engine, pixels: Uint8Array): Promise<number> {
  let best = Number.POSITIVE_INFINITY
  for (let run = 0; run < RUNS; run++) {
    const start = performance.now()
    await engine.run(pixels, 1)
    best = Math.min(best, performance.now() - start)
  }
  return best
}

// More than one image: a form may be right for the first image of a batch alone.
const IMAGES = 2

/** How much the answers of an engine differ from those of another one. */
export async function differenceOf(engine: Engine, direct: Engine): Promise<number> {
  const pixels = samplePixels(direct, IMAGES)
  const expected = (await direct.run(pixels, IMAGES)).slice()
  return relativeDifference(await engine.run(pixels, IMAGES), expected)
}

import { createHash } from 'node:crypto'
import type { Corpus } from './corpus.ts'
import { saveCrasher } from './crashers.ts'
import { type Format, mutate } from './formats/format.ts'
import { minimised } from './minimise.ts'
import { randomOf } from './random.ts'
import type { Fault, Result, Target } from './target.ts'

export interface Plan {
  /** for file names and the line that tries an input again */
  readonly kind: string
  readonly target: Target
  readonly formats: readonly Format[]
  /** Tried first, as they are. */
  readonly seeds: readonly Buffer[]
  readonly seed: number
  readonly maxInputs: number
  readonly maxMs: number
  /** Where inputs with a new outcome are kept for later runs; undefined: nowhere. */
  readonly corpus: Corpus | undefined
  readonly crashers: string
  readonly minimiseMs: number
  /** The number of inputs that others are made from; beyond that, new ones go into the corpus alone. */
  readonly maxPool?: number
  extension(input: Buffer): string
  readonly signal?: AbortSignal
  readonly onProgress?: (summary: Summary) => void
  readonly onCrasher?: (line: string, fault: Fault) => void
}

export interface Summary {
  readonly inputs: number
  readonly ms: number
  /** How many inputs had each outcome. */
  readonly outcomes: ReadonlyMap<string, number>
  /** Inputs that others are made from. */
  readonly pool: number
  readonly slowest: { readonly ms: number; readonly bytes: number; readonly index: number }
  readonly mostBytes: number
  /** The lines that try the crashers again, by cause. */
  readonly crashers: ReadonlyMap<string, string>
  /** How many inputs had a fault. */
  readonly faults: number
  /** The same for two runs of the same inputs. */
  readonly digest: string
}

/** Inputs between two looks at the clock and at the paths that were reached. */
const BATCH = 32
const MAX_POOL = 4000
/** How often a sound seed is the start, rather than an input that others have led to. */
const FROM_SEEDS = 0.3

/** Tries input after input, until the time, the count or the user ends it. */
export async function fuzz(plan: Plan): Promise<Summary> {
  const { seeds, target, corpus, signal, maxPool = MAX_POOL } = plan
  const start = performance.now()
  const pool = [...seeds]
  const outcomes = new Map<string, number>()
  const crashers = new Map<string, string>()
  const hash = createHash('sha256')
  let [inputs, faults, mostBytes] = [0, 0, 0]
  let slowest = { ms: 0, bytes: 0, index: 0 }
  const summary = (): Summary => ({
    ...{
      inputs,
      ms: performance.now() - start,
      outcomes,
      pool: pool.length,
      slowest,
      mostBytes,
      crashers,
      faults,
    },
    digest: hash.copy().digest('hex').slice(0, 12),
  })
  const isOver = () => signal?.aborted || inputs >= plan.maxInputs || performance.now() - start >= plan.maxMs

  while (!isOver()) {
    const count = Math.min(BATCH, plan.maxInputs - inputs)
    const batch = Array.from({ length: count }, (_, i) => inputAt(plan, pool, inputs + i))
    for (const [i, result] of (await target.examine(batch)).entries()) {
      const input = batch[i] ?? Buffer.alloc(0)
      const { outcome, ms, peakBytes, fault } = result
      hash.update(input)
      mostBytes = Math.max(mostBytes, peakBytes)
      if (ms > slowest.ms) slowest = { ms, bytes: input.length, index: inputs + i }
      if (fault) faults++
      if (fault && !crashers.has(fault.cause)) {
        const line = await save(plan, input, fault, inputs + i)
        crashers.set(fault.cause, line)
        plan.onCrasher?.(line, fault)
      }
      if (isNew(result, outcomes) && !fault && inputs + i >= seeds.length) {
        if (pool.length < maxPool) pool.push(input)
        corpus?.add(input, plan.extension(input))
      }
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
    }
    inputs += count
    plan.onProgress?.(summary())
  }
  return summary()
}

/** Depends on the seed, the number of the input, and the inputs that had new outcomes. */
function inputAt({ seeds, seed, formats }: Plan, pool: readonly Buffer[], index: number): Buffer {
  const own = seeds[index]
  if (own !== undefined) return own
  const random = randomOf(seed, index)
  const file = random.pick(random.chance(FROM_SEEDS) ? seeds : pool)
  return mutate(file, formats, random, random.pick(pool))
}

function isNew({ outcome, isNewPath }: Result, outcomes: ReadonlyMap<string, number>): boolean {
  return isNewPath === true || !outcomes.has(outcome)
}

async function save(plan: Plan, found: Buffer, fault: Fault, index: number): Promise<string> {
  const { target, seed, kind, crashers, minimiseMs } = plan
  const again = async (candidate: Buffer) => {
    const [result] = await target.examine([candidate])
    return result?.fault?.cause === fault.cause
  }
  const fails = await again(found)
  const input = fails ? await minimised(found, again, minimiseMs) : found
  const crasher = { fault, input, foundBytes: found.length, seed, index, again: fails }
  return saveCrasher(crashers, kind, crasher, plan.extension(input))
}

/**
 * Compiled networks compared with the same networks as exporters write them, in turns in one process:
 * `npm run bench -- exported [models [milliseconds of one turn]]`, the list with commas.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Exporter } from './exported/emission.ts'
import { openCompiled, openExported, type Turn, type Turns } from './exported/turns.ts'
import { machine, table } from './statistics.ts'

const MODELS = ['efficientnetb0', 'convnext_tiny', 'densenet121', 'mobilenet_v3_small', 'mobilenet_v3_large']
const EXPORTERS: readonly Exporter[] = ['tf2onnx', 'torch']
const BATCHES = [1, 8]
const ROUNDS = 8
const [names, ROUND_MS] = [process.argv[3]?.split(',') ?? MODELS, Number(process.argv[4] ?? 400)]

console.log(`${machine()}\n`)
const rows: string[][] = []
for (const name of names) {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-exported-'))
  try {
    await compare(name, folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
console.log(
  table(
    [
      'model',
      'batch',
      'compiled',
      ...EXPORTERS.flatMap((one) => [one, 'ratio']),
      'fastest run, ms',
      'largest difference',
    ],
    rows,
  ),
)

async function compare(name: string, folder: string): Promise<void> {
  const own = await openCompiled(name, folder)
  const others: Turns[] = []
  for (const exporter of EXPORTERS) others.push(await openExported(name, exporter, folder))
  const all = [own, ...others]
  for (const batch of BATCHES) {
    const answers: Float32Array[] = []
    for (const one of all) answers.push(await one.answer(batch))
    const turns = all.map((): Turn[] => [])
    // In turns, so that all see the same moods of the machine; backwards every other time.
    for (let round = 0; round < ROUNDS; round++) {
      const order = [...all.entries()]
      for (const [i, one] of round % 2 === 0 ? order : order.reverse())
        turns[i]?.push(await one.run(batch, ROUND_MS))
    }
    const [ownMs = Number.NaN, ...otherMs] = turns.map(leastCpu)
    rows.push([
      name,
      String(batch),
      `${ownMs.toFixed(2)} ms`,
      ...otherMs.flatMap((ms) => [`${ms.toFixed(2)} ms`, (ms / ownMs).toFixed(3)]),
      turns.map((all) => Math.min(...all.flatMap(({ times }) => times)).toFixed(2)).join(' · '),
      Math.max(...answers.slice(1).map((answer) => difference(answer, answers[0]))).toExponential(1),
    ])
  }
  for (const one of all) await one.close()
}

/** The CPU time of a run in the best turn: in the others, more of the caches went to other programs. */
function leastCpu(turns: readonly Turn[]): number {
  return Math.min(...turns.map(({ cpuMs }) => cpuMs))
}

/** The largest difference of two answers, as a part of the largest number. */
function difference(found: Float32Array, expected: Float32Array = new Float32Array()): number {
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  return (
    found.reduce((most, value, i) => Math.max(most, Math.abs(value - (expected[i] ?? Number.NaN))), 0) /
    largest
  )
}

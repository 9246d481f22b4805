import type { Summary } from './fuzz.ts'

const MIB = 2 ** 20
const MOST_OUTCOMES = 25
const WIDTH = 110

/** The state of a run on one line. */
export function progressLine({ inputs, ms, pool, crashers, outcomes }: Summary): string {
  const rate = Math.round((inputs * 1000) / Math.max(1, ms))
  return `${Math.round(ms / 1000)} s: ${inputs} inputs, ${rate}/s, ${outcomes.size} outcomes, ${pool} in the pool, ${crashers.size} crashers`
}

export function summaryText(summary: Summary, seed: number, corpus: number | undefined): string {
  const { inputs, ms, outcomes, pool, slowest, mostBytes, crashers, faults, digest } = summary
  const rate = (inputs * 1000) / Math.max(1, ms)
  const byCode = countsByCode(outcomes)
  const sorted = [...outcomes].sort(([, a], [, b]) => b - a)
  const rows = sorted
    .slice(0, MOST_OUTCOMES)
    .map(([outcome, count]) => `${String(count).padStart(9)}  ${outcome}`.slice(0, WIDTH))
  const more = outcomes.size > MOST_OUTCOMES ? [`           and ${outcomes.size - MOST_OUTCOMES} more`] : []
  return [
    `inputs    ${inputs} in ${(ms / 1000).toFixed(1)} s, ${rate.toFixed(1)} per second; seed ${seed}, digest ${digest}`,
    `pool      ${pool} inputs${corpus === undefined ? '' : `, ${corpus} files in the corpus`}`,
    `slowest   ${Math.round(slowest.ms)} ms for input ${slowest.index}, which has ${slowest.bytes} bytes`,
    `memory    at most ${Math.round(mostBytes / MIB)} MiB for one input`,
    `codes     ${byCode.map(([code, count]) => `${code} ${count}`).join(', ')}`,
    `outcomes  ${outcomes.size}`,
    ...rows,
    ...more,
    `crashers  ${crashers.size} of ${faults} inputs with a fault`,
    ...[...crashers].flatMap(([cause, line]) => [`  ${cause}`.slice(0, WIDTH), `    ${line}`]),
    '',
  ].join('\n')
}

/** By the error codes in outcomes; an outcome without one counts as accepted. */
function countsByCode(outcomes: ReadonlyMap<string, number>): [string, number][] {
  const counts = new Map<string, number>()
  for (const [outcome, count] of outcomes) {
    const code = /ERR_\w+/.exec(outcome)?.[0] ?? 'none'
    counts.set(code, (counts.get(code) ?? 0) + count)
  }
  return [...counts].sort(([, a], [, b]) => b - a)
}

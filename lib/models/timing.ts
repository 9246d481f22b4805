import type { TimedAnswer } from './answer-cache.ts'

/** The milliseconds of each stage, for an answer in JSON. */
export function roundedTiming({ queue, prepare, predict, total, cached, shared }: TimedAnswer['timing']) {
  const ms = { queue: round(queue), prepare: round(prepare), predict: round(predict), total: round(total) }
  return { ...ms, ...(cached && { cached }), ...(shared && { shared }) }
}

/** Rounded to microseconds; further digits would be noise. */
function round(ms: number): number {
  return Math.round(ms * 1000) / 1000
}

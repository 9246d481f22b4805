import type { Progress } from '../../../broker/pipeline.ts'
import { byteWords, timeWords } from './byte-words.ts'

// Reports cross a pipe and are shown on a page, where faster changes could not be read.
const REPORT_EVERY_MS = 250
// The speed is measured over the last seconds, so that it follows a change.
const WINDOW_MS = 5000

/** Reports position and speed of a transfer a few times a second. The returned function is called for every chunk. */
export function transferMeter(total: number | undefined, from: number, onProgress: Progress) {
  const marks = [{ at: performance.now(), bytes: from }]
  let reportedAt = Number.NEGATIVE_INFINITY

  return (bytes: number): void => {
    const now = performance.now()
    if (now - reportedAt < REPORT_EVERY_MS && bytes !== total) return
    reportedAt = now
    marks.push({ at: now, bytes })
    while (marks.length > 2 && now - (marks[0]?.at ?? now) > WINDOW_MS) marks.shift()
    const [first = { at: now, bytes }] = marks
    const elapsed = (now - first.at) / 1000
    const speed = elapsed > 0.1 ? (bytes - first.bytes) / elapsed : 0
    onProgress(total === undefined ? 0 : Math.min(1, bytes / total), words(bytes, total, speed))
  }
}

function words(bytes: number, total: number | undefined, speed: number): string {
  const pace = speed > 0 ? `, ${byteWords(speed)}/s` : ''
  if (total === undefined) return `downloading, ${byteWords(bytes)} so far${pace}`
  const left = speed > 0 && bytes < total ? `, ${timeWords((total - bytes) / speed)} left` : ''
  // Rounded down, so that 100 % means complete.
  return `downloading ${Math.floor((100 * bytes) / total)} % of ${byteWords(total)}${pace}${left}`
}

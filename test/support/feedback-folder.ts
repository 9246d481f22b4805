import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createFeedback, type Feedback, type FeedbackLimits } from '../../lib/feedback/feedback.ts'
import { parseCsv } from './parse-csv.ts'
import { temporaryFolder } from './temporary-folder.ts'

export const HEADER = 'time,request_id,image_sha256,model,version,prediction,score,report,source'

export interface Recorded {
  time: string
  id: string
  sha256: string
  model: string
  version: string
  prediction: string
  score: string
  report: string
  source: string
}

/** A folder that does not exist yet. */
export function newFolder(): string {
  return join(temporaryFolder(), 'feedback')
}

export function feedbackIn(
  feedbackDir: string,
  limits: Partial<FeedbackLimits> = {},
  warn: Parameters<typeof createFeedback>[1] = () => undefined,
): Feedback {
  const usual = { feedbackFileBytes: 2 ** 20, feedbackMaxBytes: 2 ** 30, keepFeedbackImages: 'off' } as const
  return createFeedback({ feedbackDir, ...usual, ...limits }, warn)
}

/** The files of records, the oldest first; feedback.csv comes last. */
export function csvFiles(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.csv'))
    .sort()
}

/** The records of all files. Every file must begin with the header. */
export function recordsIn(folder: string, names = csvFiles(folder)): Recorded[] {
  return names.flatMap((name) => recordsOf(readFileSync(join(folder, name)), name))
}

export function recordsOf(bytes: Uint8Array, name = 'the file'): Recorded[] {
  const [header, ...records] = parseCsv(bytes)
  if (header?.join(',') !== HEADER) throw new Error(`${name} begins with ${String(header)}.`)
  return records.map(([time, id, sha256, model, version, prediction, score, report, source]) => ({
    time: time ?? '',
    id: id ?? '',
    sha256: sha256 ?? '',
    model: model ?? '',
    version: version ?? '',
    prediction: prediction ?? '',
    score: score ?? '',
    report: report ?? '',
    source: source ?? '',
  }))
}

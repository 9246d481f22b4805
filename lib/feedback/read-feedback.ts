import { FEEDBACK_HEADER } from './feedback.ts'
import { feedbackRecords } from './merge-feedback.ts'

/** A record by its columns, with the cells as they are in the file. */
export type FeedbackRecord = Readonly<Record<string, string>>

const COLUMNS = FEEDBACK_HEADER.trimEnd().split(',')

/** All records of a folder, the oldest first. */
export async function readFeedback(folder: string): Promise<readonly FeedbackRecord[]> {
  const { lines } = await feedbackRecords([folder])
  return lines.map((line) =>
    Object.fromEntries(cellsOf(line).map((cell, at) => [COLUMNS[at] ?? String(at), cell])),
  )
}

/** The cells of one record of RFC 4180, which ends with CRLF. */
function cellsOf(record: string): string[] {
  const cells: string[] = []
  const cell = /(?:"((?:[^"]|"")*)"|([^,\r\n]*))(,|\r\n|$)/y
  for (let end = ','; end === ','; ) {
    const match = cell.exec(record)
    if (match === null) break
    const [, quoted, plain = '', separator = ''] = match
    cells.push(quoted?.replaceAll('""', '"') ?? plain)
    end = separator
  }
  return cells
}

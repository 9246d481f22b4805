import { writeFileSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { FEEDBACK_HEADER } from './feedback.ts'

export interface Merged {
  readonly records: number
  readonly files: number
}

const FILE = /^feedback.*\.csv$/
const OLD_HEADER = FEEDBACK_HEADER.replace(',source\r\n', '\r\n')

/**
 * Writes the records of several feedback folders into one file, sorted by time. A record that is in two of the folders
 * counts once. Throws if `output` exists, or if a file has other columns.
 */
export async function mergeFeedback(output: string, folders: readonly string[]): Promise<Merged> {
  const { lines, files } = await feedbackRecords(folders)
  // At once: Ctrl-C must not leave half a file.
  writeFileSync(output, FEEDBACK_HEADER + lines.join(''), { flag: 'wx' })
  return { records: lines.length, files }
}

/** The records of several folders as lines of CSV, the oldest first, each once. */
export async function feedbackRecords(
  folders: readonly string[],
): Promise<{ readonly lines: readonly string[]; readonly files: number }> {
  const records = new Set<string>()
  let files = 0
  for (const folder of folders) {
    for (const name of (await readdir(folder)).filter((name) => FILE.test(name)).sort()) {
      for (const record of await recordsOf(join(folder, name))) records.add(record)
      files++
    }
  }
  // A record begins with its time, in a format that sorts as text.
  return { lines: [...records].sort(), files }
}

async function recordsOf(path: string): Promise<string[]> {
  const text = await readFile(path, 'utf8')
  if (text.startsWith(FEEDBACK_HEADER)) return split(text.slice(FEEDBACK_HEADER.length))
  if (!text.startsWith(OLD_HEADER)) throw new Error(`${path} has other columns than a record of feedback.`)
  return split(text.slice(OLD_HEADER.length)).map((record) => record.replace(/\r\n$/, ',\r\n'))
}

/** Each record ends with the first CRLF outside of quotes. A cut-off record at the end is left out. */
function split(text: string): string[] {
  const records: string[] = []
  let start = 0
  let isQuoted = false
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '"') isQuoted = !isQuoted
    if (isQuoted || text[at] !== '\n' || text[at - 1] !== '\r') continue
    records.push(text.slice(start, at + 1))
    start = at + 1
  }
  return records
}

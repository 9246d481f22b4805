import { csvLine } from '../feedback/csv-line.ts'
import { mergeFeedback } from '../feedback/merge-feedback.ts'
import { type FeedbackRecord, readFeedback } from '../feedback/read-feedback.ts'
import { type Command, CommandError, type CommandLine, EXIT, usageError } from './command.ts'
import { printable } from './prediction-table.ts'

const SUBCOMMANDS = {
  list: 'the newest reports in FEEDBACK_DIR',
  export: 'all records as CSV, or as lines of JSON with --ndjson',
  merge: 'OUTPUT FOLDER …: the records of several hosts in one new file',
}
const DEFAULT_COUNT = 20

export const feedbackCommand: Command = {
  usage: 'feedback list | export | merge OUTPUT FOLDER …',
  about: 'Reports of wrong predictions, as users have sent them. Images stay in place.',
  subcommands: SUBCOMMANDS,
  options: {
    count: { value: 'N', help: `how many reports are listed; default ${DEFAULT_COUNT}` },
    ndjson: { help: 'one line of JSON per record' },
  },
  takesSettings: true,
  words: 'files',
  examples: [
    'tandem feedback list --count 100',
    'tandem feedback export --ndjson > reports.ndjson',
    'tandem feedback merge all.csv host-1/feedback host-2/feedback',
  ],
  run: feedback,
}

async function feedback(line: CommandLine): Promise<number> {
  const [action, ...paths] = line.words
  try {
    if (action === 'merge') return await merge(paths)
    if (paths.length > 0) throw usageError(`feedback ${action} takes no words, but has "${paths[0]}".`)
    const records = await readFeedback(line.config.feedbackDir)
    return action === 'export' ? exportAll(records, line.options) : list(records, line.options)
  } catch (error) {
    if (error instanceof CommandError) throw error
    throw new CommandError(error instanceof Error ? error.message : String(error), EXIT.failed, {
      cause: error,
    })
  }
}

function list(
  records: readonly FeedbackRecord[],
  { count = String(DEFAULT_COUNT), ndjson }: CommandLine['options'],
) {
  const most = Number(count)
  if (!Number.isInteger(most) || most < 1)
    throw usageError(`--count must be a whole number from 1, but is "${count}".`)
  const newest = records.slice(-most)
  for (const record of newest) {
    const { time = '', model = '', prediction = '', report = '' } = record
    const text = `${time}  ${model}  said ${prediction || 'nothing known'}; report: ${report}`
    process.stdout.write(ndjson ? `${JSON.stringify(record)}\n` : `${printable(text)}\n`)
  }
  return EXIT.done
}

function exportAll(records: readonly FeedbackRecord[], { ndjson }: CommandLine['options']): number {
  const [first] = records
  if (!ndjson && first !== undefined) process.stdout.write(csvLine(Object.keys(first)))
  for (const record of records) {
    process.stdout.write(ndjson ? `${JSON.stringify(record)}\n` : csvLine(Object.values(record)))
  }
  return EXIT.done
}

async function merge([output, ...folders]: readonly string[]): Promise<number> {
  if (output === undefined || folders.length === 0) {
    throw usageError('feedback merge needs the name of a new file, and the folders to read.')
  }
  const { records, files } = await mergeFeedback(output, folders)
  process.stdout.write(`${output}: ${records} records of ${files} files\n`)
  return EXIT.done
}

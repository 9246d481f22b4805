import { mergeFeedback } from '../feedback/merge-feedback.ts'

const USAGE = `npm run feedback -- merge all.csv host-1/feedback host-2/feedback [...]

Writes the records of several feedback folders into one file, sorted by time. Each record counts once, also if a folder
is a copy of another one. The file must not exist yet. Images stay where they are.
`

const [command, output, ...folders] = process.argv.slice(2)
if (command === '--help' || command === '-h') process.stdout.write(USAGE)
else if (command !== 'merge' || output === undefined || folders.length === 0) {
  process.stderr.write(USAGE)
  process.exitCode = 2
} else {
  try {
    const { records, files } = await mergeFeedback(output, folders)
    process.stdout.write(`${output}: ${records} records of ${files} files\n`)
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = 1
  }
}

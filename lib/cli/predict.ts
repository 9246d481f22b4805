import type { Picture } from '../library/read-picture.ts'
import { askModel } from './ask-model.ts'
import { askServer } from './ask-server.ts'
import { chosenModel } from './chosen-model.ts'
import { type Command, CommandError, type CommandLine, EXIT, usageError } from './command.ts'
import { isPattern } from './expand-pattern.ts'
import type { Asked, NamedPicture, Outcome } from './outcome.ts'
import { type Output, outputIn } from './output.ts'
import { picturesNamed, STANDARD_INPUT } from './picture-words.ts'
import { printable } from './prediction-table.ts'
import { ProgressLine } from './progress-line.ts'
import { readStandardInput } from './standard-input.ts'

const MAX_TOP = 1000
const FORMATS = ['json', 'ndjson', 'csv'] as const

export const predictCommand: Command = {
  usage: "predict photo.jpg [folder 'pictures/*.png' https://… -]",
  about:
    'Classifies pictures: files, folders, patterns, addresses, - for standard input.\nA running server answers if TANDEM_URL is set; otherwise the model is loaded.',
  options: {
    model: { value: 'NAME', help: 'a name, name=path or a path; default: the first of MODELS' },
    top: { value: 'N', help: `number of guesses per picture, from 1 to ${MAX_TOP}` },
    threshold: { value: 'P', help: 'only guesses with more than this probability, from 0 to 1' },
    json: { help: 'one array of JSON' },
    ndjson: { help: 'one line of JSON per picture' },
    csv: { help: 'one record per guess' },
  },
  takesSettings: true,
  words: 'files',
  examples: [
    'tandem predict photo.jpg --model digits --top 1',
    'tandem predict holiday --csv > holiday.csv',
    'TANDEM_URL=http://gpu-box:2017 tandem predict photo.jpg',
  ],
  run: predict,
}

async function predict({ words, options, config }: CommandLine): Promise<number> {
  const wanted = { top: readTop(options.top), threshold: readThreshold(options.threshold) }
  const output = outputIn(formatOf(options))
  const model = typeof options.model === 'string' ? options.model : undefined
  if (words.length === 0) throw usageError(`A picture must be named, such as: tandem ${predictCommand.usage}`)
  const names = await picturesNamed(words)
  if (names.length === 0) throw new CommandError(`There are no pictures in ${words.join(', ')}.`, EXIT.failed)
  const input = names.includes(STANDARD_INPUT) ? await readStandardInput(config.maxBodyBytes) : ''
  const pictures = names.map((name): NamedPicture => ({ name, picture: pictureOf(name, input) }))
  if (config.serverUrl !== '') return showAll(await askServer(config, model, wanted), pictures, output)
  const chosen = chosenModel(model, config.models)
  if (chosen === undefined)
    throw usageError(`--model must be a name, name=path or a path, but is "${model}".`)
  return showAll(await askModel(config, chosen, wanted), pictures, output)
}

async function showAll(asked: Asked, pictures: readonly NamedPicture[], output: Output): Promise<number> {
  const line = new ProgressLine(process.stderr, pictures.length)
  const isInterrupted = interrupted()
  const write = (text: string) => void (text !== '' && process.stdout.write(text))
  let done = 0
  let failures = 0
  write(output.begin())
  for await (const outcome of asked.outcomes(pictures)) {
    if (isInterrupted()) break
    line.clear()
    if (outcome.error !== undefined) {
      failures++
      process.stderr.write(`${complaint(outcome)}\n`)
    }
    write(output.one(outcome))
    line.update(++done, failures)
  }
  line.clear()
  // Also after Ctrl-C: what was written must be whole.
  write(output.end())
  await asked.close()
  if (isInterrupted()) return EXIT.interrupted
  return failures > 0 ? EXIT.failed : EXIT.done
}

/** Ctrl-C ends the command after the picture in work; a second one at once. */
function interrupted(): () => boolean {
  let isInterrupted = false
  process.once('SIGINT', () => {
    isInterrupted = true
  })
  return () => isInterrupted
}

function pictureOf(name: string, input: Picture): Picture {
  return name === STANDARD_INPUT ? input : name
}

function complaint({ file, error }: Outcome): string {
  const isUnmatched = isPattern(file) && error?.code === 'ERR_FILE'
  return `${printable(file)}: ${isUnmatched ? 'no file matches' : printable(error?.message ?? '')}`
}

function formatOf(options: CommandLine['options']): 'table' | (typeof FORMATS)[number] {
  const chosen = FORMATS.filter((format) => options[format] !== undefined)
  if (chosen.length > 1)
    throw usageError(`Only one of ${chosen.map((name) => `--${name}`).join(' and ')} can be given.`)
  return chosen[0] ?? 'table'
}

function readTop(text: string | true | undefined): number | undefined {
  if (text === undefined) return undefined
  const top = Number(text)
  if (Number.isInteger(top) && top >= 1 && top <= MAX_TOP) return top
  throw usageError(`--top must be a whole number from 1 to ${MAX_TOP}, but is "${text}".`)
}

function readThreshold(text: string | true | undefined): number | undefined {
  if (text === undefined) return undefined
  const threshold = Number(text)
  if (text !== true && text.trim() !== '' && threshold >= 0 && threshold <= 1) return threshold
  throw usageError(`--threshold must be a number from 0 to 1, but is "${text}".`)
}

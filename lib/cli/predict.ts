import { chosenModel } from './chosen-model.ts'
import { commandLine, refuseCommandLine } from './command-line.ts'
import { expandPattern } from './expand-pattern.ts'
import { predictFiles } from './predict-files.ts'
import { writeJson, writeTable } from './write-outcome.ts'

const USAGE = `npm run predict -- photo.jpg [more.jpg 'folder/*.png'] [--model resnet50] [--top 5] [--json]

Classifies image files, without a server.

  --model  a name from the catalog or from MODELS, name=path, or the path of a model; default: the first of MODELS
  --top    number of guesses per image, from 1 to 1000
  --json   one line of JSON per file, in the order of the files: npm run -s predict -- --json photo.jpg | jq

The settings of the server work here too, such as --weights-dir. The exit code is 1 if a file cannot be classified.
`
const MAX_TOP = 1000

const { config, words, options } = commandLine({ model: 'text', top: 'text', json: 'switch' }, USAGE)
const { model: wanted, json = false } = options
const top = readTop(options.top)
const model =
  chosenModel(wanted === true ? undefined : wanted, config.models) ??
  refuseCommandLine(`--model must be a name, name=path or a path, but is "${wanted}".`)
if (words.length === 0) refuseCommandLine(USAGE.trimEnd())

// The program that reads the output may stop early, as head does.
process.stdout.on('error', () => process.exit(0))

const files = (await Promise.all(words.map(expandPattern))).flat()
const areAllRead = await predictFiles({ config, model, files, top }, json ? writeJson : writeTable)
if (!areAllRead) process.exitCode = 1

function readTop(text: string | true | undefined): number | undefined {
  if (text === undefined) return undefined
  const top = Number(text)
  if (Number.isInteger(top) && top >= 1 && top <= MAX_TOP) return top
  return refuseCommandLine(`--top must be a whole number from 1 to ${MAX_TOP}, but is "${text}".`)
}

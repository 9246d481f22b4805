import { brokerOptions } from '../models/brokers.ts'
import { askPipeline } from './ask-pipeline.ts'
import { chosenModel } from './chosen-model.ts'
import { type Command, type CommandLine, EXIT, notReady, usageError } from './command.ts'
import { inspectionText, readInspection } from './inspection-text.ts'

/** The user waits at a terminal: an interruption is retried, but without a network the error comes soon. */
const ATTEMPTS = 3

export const inspectCommand: Command = {
  usage: 'inspect MODEL',
  about:
    'Shows a model: its layers, their shapes and parameters, what it takes and\nanswers with, and what Tandem does with an image. If the model cannot be served,\nshows why, and the exit code is 1.',
  options: { json: { help: 'everything as JSON' } },
  takesSettings: true,
  words: 'models',
  examples: ['tandem inspect ./pets.keras', 'tandem inspect vgg16 --json'],
  run: inspect,
}

async function inspect({ words, options, config }: CommandLine): Promise<number> {
  const [wanted, another] = words
  if (wanted === undefined || another !== undefined)
    throw usageError('inspect needs the name or path of one model.')
  const model = chosenModel(wanted, config.models)
  if (model === undefined)
    throw usageError(`The model must be a name, name=path or a path, but is "${wanted}".`)
  const { name } = model
  const wishes = { ...brokerOptions({ ...config, workers: 1 }, model), attempts: ATTEMPTS }
  const info = await askPipeline({ module: 'inspect-model', name, options: wishes, isLong: true }).catch(
    (error: unknown) => {
      throw notReady(error)
    },
  )
  const inspection = readInspection(info)
  process.stdout.write(
    options.json ? `${JSON.stringify(inspection, null, 2)}\n` : inspectionText(name, inspection),
  )
  return inspection.refusal ? EXIT.failed : EXIT.done
}

import { Broker } from '../../broker/broker.ts'
import { brokerOptions } from '../models/brokers.ts'
import { showProgress } from '../models/model-progress.ts'
import { chosenModel } from './chosen-model.ts'
import { commandLine, refuseCommandLine } from './command-line.ts'
import { inspectionText, readInspection } from './inspection-text.ts'

const USAGE = `npm run inspect -- model [--json]

Shows a model: its layers, their shapes and parameters, what the model takes and answers with, what Tandem does with an image,
and why the model cannot be served, if so. The model is a name from the catalog or from MODELS, name=path, or a path.

  --json   everything as JSON

The settings of the server work here too, such as --weights-dir. The exit code is 1 if the model cannot be served.
`

const { config, words, options } = commandLine({ json: 'switch' }, USAGE)
const [wanted, another] = words
if (wanted === undefined || another !== undefined) refuseCommandLine(USAGE.trimEnd())
const model =
  chosenModel(wanted, config.models) ??
  refuseCommandLine(`The model must be a name, name=path or a path, but is "${wanted}".`)

const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
await using broker = new Broker({
  pipeline: new URL(`../../pipeline/inspect-model.${extension}`, import.meta.url),
  name: `inspect ${model.name}`,
  options: { ...brokerOptions({ ...config, workers: 1 }, model), attempts: 3 },
})
showProgress(model.name, broker, (word) => process.stderr.write(`${model.name}: ${word}\n`))
try {
  await broker.start()
  const inspection = readInspection(broker.stats().info)
  process.stdout.write(
    options.json ? `${JSON.stringify(inspection, null, 2)}\n` : inspectionText(model.name, inspection),
  )
  if (inspection.refusal) process.exitCode = 1
} catch (error) {
  // The broker would retry the start.
  broker.kill()
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}

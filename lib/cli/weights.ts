import { resolve } from 'node:path'
import { Broker } from '../../broker/broker.ts'
import type { Config } from '../config/config.ts'
import { showProgress } from '../models/model-progress.ts'
import { readPipelineInfo } from '../models/pipeline-info.ts'
import { catalogText } from './catalog-text.ts'
import { commandLine } from './command-line.ts'
import { tuneAhead } from './tune-ahead.ts'

const LIST = 'list'
const USAGE = `npm run weights -- [model ...] [--tune]
npm run weights -- ${LIST}

Downloads the weights of models of the catalog before the first start; without names, for the models in MODELS.

  --tune   also measures what is fastest on this machine, which the server otherwise does while it is idle

${LIST} shows the models of the catalog: the size of their images, their parameters, the size and the address of the file.
The settings of the server work here too, such as --weights-dir and --weights-url.
`

const { config, words, options } = commandLine({ tune: 'switch' }, USAGE)
const listed = config.models.filter(({ path }) => path === undefined || options.tune).map(({ name }) => name)
if (words.length === 1 && words[0] === LIST) {
  if (!(await listModels())) process.exitCode = 1
} else {
  for (const model of new Set(words.length > 0 ? words : listed)) {
    const isOwn = config.models.some(({ name, path }) => name === model && path !== undefined)
    const isThere = isOwn || (await fetchWeights(model, config))
    if (!isThere || (options.tune && !(await tuneAhead(model, config)))) process.exitCode = 1
  }
}

/** In a child process, because the catalog belongs to the pipeline. */
async function listModels(): Promise<boolean> {
  await using broker = brokerOf('list-catalog', 'catalog', {})
  // Awaited here: the broker is closed when the function returns.
  return await attempt(broker, () => process.stdout.write(catalogText(broker.stats().info)))
}

/** Downloads in a child process, with the same code as the pipeline of the server. */
async function fetchWeights(model: string, { weightsDir, weightsUrl }: Config): Promise<boolean> {
  const options = { model, weightsDir: resolve(weightsDir), ...(weightsUrl !== '' && { weightsUrl }) }
  await using broker = brokerOf('fetch-weights', `weights ${model}`, options)
  showProgress(model, broker, (word) => process.stderr.write(`${model}: ${word}\n`))
  // Awaited here: the broker is closed when the function returns.
  return await attempt(broker, () =>
    process.stdout.write(`${model}: ${readPipelineInfo(broker.stats()).path ?? 'ready'}\n`),
  )
}

function brokerOf(file: string, name: string, options: Record<string, unknown>): Broker {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  const pipeline = new URL(`../../pipeline/weights/${file}.${extension}`, import.meta.url)
  return new Broker({ pipeline, name, options })
}

/** Whether the pipeline of the broker could be made; an error is written. */
async function attempt(broker: Broker, succeed: () => void): Promise<boolean> {
  try {
    await broker.start()
    succeed()
    return true
  } catch (error) {
    // The broker would retry the download.
    broker.kill()
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    return false
  }
}

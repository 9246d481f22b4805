import { resolve } from 'node:path'
import { Broker } from '../../broker/broker.ts'
import type { Config } from '../config/config.ts'
import { showProgress } from '../models/model-progress.ts'
import { readPipelineInfo } from '../models/pipeline-info.ts'
import { commandLine } from './command-line.ts'
import { tuneAhead } from './tune-ahead.ts'

const USAGE = `npm run weights -- [model ...] [--tune]

Downloads the weights of models of the catalog before the first start; without names, for the models in MODELS.
  --tune   also measures what is fastest on this machine, which the server otherwise does while it is idle

The settings of the server work here too, such as --weights-dir and --weights-url.
`

const { config, words, options } = commandLine({ tune: 'switch' }, USAGE)
const listed = config.models.filter(({ path }) => path === undefined || options.tune).map(({ name }) => name)
for (const model of new Set(words.length > 0 ? words : listed)) {
  const isOwn = config.models.some(({ name, path }) => name === model && path !== undefined)
  const isThere = isOwn || (await fetchWeights(model, config))
  if (!isThere || (options.tune && !(await tuneAhead(model, config)))) process.exitCode = 1
}

/** Downloads in a child process, with the same code as the pipeline of the server. */
async function fetchWeights(model: string, { weightsDir, weightsUrl }: Config): Promise<boolean> {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  await using broker = new Broker({
    pipeline: new URL(`../../pipeline/weights/fetch-weights.${extension}`, import.meta.url),
    name: `weights ${model}`,
    options: { model, weightsDir: resolve(weightsDir), ...(weightsUrl !== '' && { weightsUrl }) },
  })
  showProgress(model, broker, (word) => process.stderr.write(`${model}: ${word}\n`))
  try {
    await broker.start()
    process.stdout.write(`${model}: ${readPipelineInfo(broker.stats()).path ?? 'ready'}\n`)
    return true
  } catch (error) {
    // The broker would retry the download.
    broker.kill()
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    return false
  }
}

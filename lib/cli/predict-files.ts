import type { Calls } from '../../broker/broker.ts'
import type { Config } from '../config/config.ts'
import type { Model } from '../config/setting-kinds.ts'
import { createBrokers } from '../models/brokers.ts'
import { showProgress } from '../models/model-progress.ts'
import { splitAnswer } from '../models/other-outputs.ts'
import { readPipelineInfo } from '../models/pipeline-info.ts'
import { readImageFile } from './read-image-file.ts'
import type { Outcome } from './write-outcome.ts'

export interface PredictRequest {
  readonly config: Config
  readonly model: Model
  readonly files: readonly string[]
  /** number of guesses per image; undefined for the model's own number */
  readonly top: number | undefined
}

/** Predicts files in a child process like the server's, and shows the results in order. False if any file failed. */
export async function predictFiles(
  { config, model, files, top }: PredictRequest,
  show: (outcome: Outcome) => void,
): Promise<boolean> {
  // One child gets all cores, because there are no other requests.
  const alone = { ...config, models: [model], workers: 1, spareChildren: 0 }
  const [broker] = createBrokers(alone, { attempts: 3 }).values()
  if (broker === undefined || !(await startBroker(broker, model))) return false
  let areAllRead = true
  // Two batches keep the child busy while the next files are read, and bound the memory.
  const atOnce = Math.min(2 * config.maxBatch, config.maxQueue)
  const predict = (file: string) => predictFile(broker, file, { config, model, top })
  for await (const outcome of inOrder(files, atOnce, predict)) {
    show(outcome)
    if (outcome.error !== undefined) areAllRead = false
  }
  await broker.close()
  return areAllRead
}

async function startBroker(broker: Calls, { name }: Model): Promise<boolean> {
  showProgress(name, broker, (word) => process.stderr.write(`${name}: ${word}\n`))
  broker.on('log', ({ line }) => process.stderr.write(`${line}\n`))
  try {
    await broker.start()
    for (const warning of readPipelineInfo(broker.stats()).warnings) process.stderr.write(`${warning}\n`)
    return true
  } catch (error) {
    // The broker would retry the start.
    broker.kill()
    process.stderr.write(`${summary(error).message}\n`)
    return false
  }
}

/** Never rejects: a bad file must not stop the others. */
async function predictFile(
  broker: Calls,
  file: string,
  { config, model, top }: Omit<PredictRequest, 'files'>,
): Promise<Outcome> {
  const common = { file, model: model.name, top }
  try {
    const image = await readImageFile(file, config.maxBodyBytes)
    const value = await broker.call('predict', top === undefined ? image : { image, top })
    return { ...common, ...(config.pipeline === '' ? splitAnswer(value) : { value }) }
  } catch (error) {
    return { ...common, error: summary(error) }
  }
}

/** The results of `work` in the order of the items, with up to `atOnce` items in work at a time. */
async function* inOrder<Item, Result>(
  items: readonly Item[],
  atOnce: number,
  work: (item: Item) => Promise<Result>,
): AsyncGenerator<Result> {
  const running: Promise<Result>[] = []
  for (const item of items) {
    running.push(work(item))
    const first = running.length >= atOnce ? running.shift() : undefined
    if (first !== undefined) yield await first
  }
  for (const rest of running) yield await rest
}

function summary(error: unknown): { code: string; message: string } {
  if (!(error instanceof Error)) return { code: 'ERR_INTERNAL', message: String(error) }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : 'ERR_INTERNAL'
  return { code, message: error.message }
}

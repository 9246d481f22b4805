import { pino } from 'pino'
import type { Config } from '../config/config.ts'
import type { Model } from '../config/setting-kinds.ts'
import { openTandem } from '../library/open-tandem.ts'
import { anyAddress } from '../library/read-picture.ts'
import type { Brokers } from '../models/brokers.ts'
import { guessesIn } from '../models/guess.ts'
import { showProgress } from '../models/model-progress.ts'
import { notReady } from './command.ts'
import { type Asked, failed, type NamedPicture, type Wanted } from './outcome.ts'

/** The user waits at a terminal: an interruption is retried, but without a network the error comes soon. */
const ATTEMPTS = 3

/** Loads a model in a child process like the server's. */
export async function askModel(config: Config, model: Model, { top, threshold }: Wanted): Promise<Asked> {
  // One child gets all cores, because there are no other requests; each picture comes once; and nothing is measured meanwhile.
  const alone: Config = {
    ...config,
    models: [model],
    workers: 1,
    spareChildren: 0,
    cacheEntries: 0,
    tuningMs: 0,
    role: 'all',
  }
  const log = pino({ level: 'silent' })
  const download = anyAddress(config)
  const tandem = await openTandem(alone, { log, attempts: ATTEMPTS, download, onBrokers: showBrokers }).catch(
    (error: unknown) => {
      throw notReady(error)
    },
  )
  for (const { warnings } of tandem.models) for (const text of warnings) process.stderr.write(`${text}\n`)
  const { name } = model
  const options = { ...(top !== undefined && { top }), ...(threshold !== undefined && { threshold }) }
  return {
    model: name,
    async *outcomes(pictures: readonly NamedPicture[]) {
      const contents = pictures.map(({ picture }) => picture)
      for await (const one of tandem.classifyAll(name, contents, options)) {
        const file = pictures[one.at]?.name ?? ''
        yield one.ok
          ? { file, model: name, guesses: guessesIn(one.value), value: one.value, outputs: one.outputs }
          : failed(file, name, one.error)
      }
    },
    close: () => tandem.close(),
  }
}

/** A bar on a terminal, and nothing elsewhere. */
function showBrokers(brokers: Brokers): void {
  for (const [model, broker] of brokers) {
    showProgress(model, broker, () => {})
    broker.on('log', ({ line }) => process.stderr.write(`${line}\n`))
  }
}

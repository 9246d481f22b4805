import { type DestinationStream, type Logger, pino, stdTimeFunctions } from 'pino'
import type { Config } from '../config/config.ts'

export type Log = Logger

/** What may wait for a reader that has stopped reading; beyond it, lines are dropped rather than memory filled. */
const MAX_WAITING_BYTES = 8 * 2 ** 20

/** JSON lines into a pipe or file, readable ones on a terminal. Written asynchronously, the rest flushed on exit. */
export async function createLog({ logLevel }: Pick<Config, 'logLevel'>): Promise<Log> {
  const options = { level: logLevel, base: null, timestamp: stdTimeFunctions.isoTime }
  return pino(options, process.stdout.isTTY ? await readable() : jsonLines())
}

function jsonLines(): DestinationStream {
  return pino.destination({ dest: 1, sync: false, minLength: 0, maxLength: MAX_WAITING_BYTES })
}

/** Imported only where somebody looks: it would cost every start its loading time. */
async function readable(): Promise<DestinationStream> {
  const { PinoPretty } = await import('pino-pretty')
  return PinoPretty({ destination: 1, sync: false, ignore: 'requestId' })
}

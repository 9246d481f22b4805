import { type DestinationStream, type Logger, pino, stdTimeFunctions } from 'pino'
import type { Config } from '../config/config.ts'
import { terminalLine } from './terminal-line.ts'

export type Log = Logger

/** What may wait for a reader that has stopped reading; beyond it, lines are dropped rather than memory filled. */
const MAX_WAITING_BYTES = 8 * 2 ** 20

/** JSON lines into a pipe or file, readable ones on a terminal. Written asynchronously, the rest flushed on exit. */
export function createLog({ logLevel }: Pick<Config, 'logLevel'>): Log {
  const options = { level: logLevel, base: null, timestamp: stdTimeFunctions.isoTime }
  const output = pino.destination({ dest: 1, sync: false, minLength: 0, maxLength: MAX_WAITING_BYTES })
  return pino(options, process.stdout.isTTY ? readable(output) : output)
}

function readable(output: DestinationStream): DestinationStream {
  // Node's own rule: NO_COLOR, FORCE_COLOR, NODE_DISABLE_COLORS and TERM count.
  const hasColors = process.stdout.hasColors()
  return {
    write(json) {
      const line = terminalLine(json, hasColors)
      if (line !== undefined) output.write(line)
    },
  }
}

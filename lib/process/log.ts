import { type DestinationStream, type Logger, pino, stdTimeFunctions } from 'pino'
import type { Config } from '../config/config.ts'
import { terminalLine } from './terminal-line.ts'

export type Log = Logger

/** Lines that wait for a reader that has stopped reading. Further lines are dropped, because memory is bounded. */
const MAX_WAITING_BYTES = 8 * 2 ** 20

/** Writes JSON lines to a pipe or file, and readable lines to a terminal: asynchronously, the last ones at the exit. */
export function createLog({ logLevel }: Pick<Config, 'logLevel'>): Log {
  const options = { level: logLevel, base: null, timestamp: stdTimeFunctions.isoTime }
  const output = pino.destination({ dest: 1, sync: false, minLength: 0, maxLength: MAX_WAITING_BYTES })
  return pino(options, process.stdout.isTTY ? readable(output) : output)
}

function readable(output: DestinationStream): DestinationStream {
  // Follows NO_COLOR, FORCE_COLOR, NODE_DISABLE_COLORS and TERM.
  const hasColors = process.stdout.hasColors()
  return {
    write(json) {
      const line = terminalLine(json, hasColors)
      if (line !== undefined) output.write(line)
    },
  }
}

import type { Logger } from 'pino'
import type { Calls } from '../../broker/broker.ts'
import { type PipelineInfo, readPipelineInfo } from './pipeline-info.ts'

/** Logs what a pipeline reports about itself and the user should know. */
export function logInfo(broker: Calls, log: Logger): void {
  const looks = [
    warnings(log),
    sentence(log, ({ quantization }) => quantization),
    // Of an int8 model, nothing is tuned.
    sentence(log, ({ tuning }) => tuning?.sentence ?? null),
  ]
  const look = () => {
    const info = readPipelineInfo(broker.stats())
    for (const one of looks) one(info)
  }
  broker.on('info', look)
  look()
}

/** Each warning is logged once, however many children repeat it, and once more if it comes back after it was gone. */
function warnings(log: Logger): (info: PipelineInfo) => void {
  let known: readonly string[] = []
  return ({ warnings }) => {
    for (const warning of new Set(warnings)) if (!known.includes(warning)) log.warn(warning)
    known = warnings
  }
}

/** What measurements or int8 have made faster, once. */
function sentence(log: Logger, of: (info: PipelineInfo) => string | null): (info: PipelineInfo) => void {
  let known: string | null = null
  return (info) => {
    const text = of(info)
    if (text !== null && text !== known) log.info(text)
    known = text
  }
}

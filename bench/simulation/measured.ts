import { readFileSync } from 'node:fs'
import { usage } from '../../scripts/shared/options.ts'

/** What the simulation takes from a run of `npm run bench -- fleet --report`. */
export interface Measured {
  readonly machine: string
  readonly bytes: number
  /** calls that one core of RabbitMQ carries in a second */
  readonly rabbitPerCore: number
  /** HTTP calls that one core of a web host carries in a second */
  readonly webPerCore: number
  /** seconds that the way through RabbitMQ adds to a call */
  readonly way: number
}

interface Report {
  readonly machine: string
  readonly bytes: number
  readonly latency?: { readonly added: number }
  readonly web?: { readonly perSecond: number; readonly webCores: number }
  readonly saturation?: readonly { readonly bytes: number; readonly callsPerCore: number }[]
}

export function readMeasured(path: string): Measured {
  const { machine, bytes, latency, web, saturation = [] } = read(path)
  const nearest = [...saturation].sort((a, b) => Math.abs(a.bytes - bytes) - Math.abs(b.bytes - bytes))[0]
  if (latency === undefined || web === undefined || nearest === undefined)
    throw usage(
      `--figures must be a report with the parts latency, web and saturation, but "${path}" is not.`,
    )
  const measured = {
    machine,
    bytes,
    rabbitPerCore: nearest.callsPerCore,
    webPerCore: web.perSecond / web.webCores,
    way: latency.added / 1000,
  }
  const { machine: _, ...numbers } = measured
  if (Object.values(numbers).every((value) => Number.isFinite(value) && value > 0)) return measured
  throw usage(`--figures must be a report with numbers above 0, but "${path}" is not.`)
}

function read(path: string): Report {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Report
  } catch {
    throw usage(`--figures must be a report of npm run bench -- fleet, but "${path}" is not.`)
  }
}

import { type Kind, number, readNumber, readOptions, text, within } from '../../scripts/shared/options.ts'

export const PARTS = ['throughput', 'latency', 'failover', 'web', 'saturation'] as const
export type Part = (typeof PARTS)[number]

export interface Plan {
  readonly parts: readonly Part[]
  /** Numbers of simulated hosts, the smallest first. */
  readonly hosts: readonly number[]
  readonly seconds: number
  readonly msPerImage: number
  readonly bytes: number
  readonly kills: number
  readonly callers: number
  /** The path of the file for the figures. */
  readonly report: string | undefined
}

export const USAGE = `npm run bench -- fleet [--parts throughput,latency] [--hosts 1,2,4,8] [--seconds 10]

Measures several model hosts behind a RabbitMQ of its own, all on this machine. Needs RabbitMQ (apt-get install
rabbitmq-server). The model hosts are real; their pipeline waits in place of computing.

--parts LIST      what to measure; default all: ${PARTS.join(',')}
                  throughput: images per second of N hosts, as a part of N times one host
                  latency: the time that RabbitMQ adds to one call, compared with a Broker in the same process
                  failover: a host of two is killed; the time until the calls that it held are answered
                  web: the pages of a web host while many HTTP callers wait
                  saturation: the most calls per second that one RabbitMQ carries on this machine
--hosts LIST      numbers of model hosts for throughput, with commas; default 1,2,4,8. The first must be 1
--seconds NUMBER  duration of each measurement; default 10
--ms NUMBER       milliseconds that a host waits for one image; default 10, which is 100 images a second
--bytes NUMBER    size of an image; default 25000
--kills NUMBER    hosts to kill for failover; default 5
--callers NUMBER  HTTP callers for web; default 2000
--report PATH     file for the figures as JSON, which bench/simulate-fleet.ts reads
--help            print this text

Exit codes: 0 measured, 1 a call was lost, doubled or answered wrongly, 2 wrong options, 3 RabbitMQ is not installed.
`

const MAX_HOSTS = 64

const KINDS = {
  parts: { expected: `some of ${PARTS.join(', ')}, with commas between them`, parse: readParts },
  hosts: {
    expected: `whole numbers from 1 to ${MAX_HOSTS}, rising from 1, with commas between them`,
    parse: readHosts,
  },
  seconds: number('seconds', 0.5, 600),
  ms: number('milliseconds', 1, 1000),
  bytes: number('bytes', 16, 1_000_000),
  kills: number('kills', 1, 100),
  callers: number('callers', 1, 10_000),
  report: text('the path of a file', /[^/\\]$/),
} satisfies Record<string, Kind<unknown>>

/** What the command line asks for, or undefined where it asks for help. A wrong word is a CommandError. */
export function readArguments(argv: readonly string[]): Plan | undefined {
  const options = readOptions(argv, { kinds: KINDS })
  if (options === undefined) return undefined
  return {
    parts: options.value('parts', PARTS.join(',')),
    hosts: options.value('hosts', '1,2,4,8'),
    seconds: options.value('seconds', '10'),
    msPerImage: options.value('ms', '10'),
    bytes: Math.round(options.value('bytes', '25000')),
    kills: Math.round(options.value('kills', '5')),
    callers: Math.round(options.value('callers', '2000')),
    report: options.optional('report'),
  }
}

function readParts(raw: string): readonly Part[] | undefined {
  const words = raw.split(',')
  const parts = PARTS.filter((part) => words.includes(part))
  return parts.length === words.length ? parts : undefined
}

function readHosts(raw: string): readonly number[] | undefined {
  const values = raw.split(',').map(readNumber)
  const areRight = values.every((value, i) => {
    const before = values[i - 1] ?? 0
    return value !== undefined && Number.isInteger(value) && within(value, before + 1, MAX_HOSTS)
  })
  return areRight && values[0] === 1 ? (values as number[]) : undefined
}

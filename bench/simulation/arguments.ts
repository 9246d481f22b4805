import { fileURLToPath } from 'node:url'
import { type Kind, number, readNumber, readOptions, text, within } from '../../scripts/shared/options.ts'

export const PARTS = ['plan', 'load', 'loss', 'spike', 'day'] as const
export type Part = (typeof PARTS)[number]

export interface Order {
  readonly figures: string
  readonly parts: readonly Part[]
  readonly rates: readonly number[]
  readonly hostRate: number
  /** undefined: half of what a core of RabbitMQ has carried */
  readonly cellRate: number | undefined
  readonly load: number
  readonly nodes: number
  readonly peak: number
  readonly trough: number
  readonly hours: number
  readonly spike: number
  readonly queue: number
  /** seconds */
  readonly notice: number
  readonly start: number
  /** seconds */
  readonly target: number
  readonly seed: number
}

export const USAGE = `node --import tsx bench/simulate-fleet.ts [--parts plan,spike] [--host-rate 100]

Plans a fleet for many images a second, and simulates one cell of it, call by call: a RabbitMQ with the model hosts behind
it, and Kubernetes' autoscaler. The measured figures come from npm run bench -- fleet --report PATH.

--figures PATH       report of the bench; default bench/fleet-figures.json
--parts LIST         what to compute; default all: ${PARTS.join(',')}
                     plan: cells, hosts and nodes of RabbitMQ for each of --rates
                     load: latency by the load of the model hosts
                     loss: another cell when one of 2, 3, 5 and 10 is lost, with and without hosts in reserve
                     spike: the rate multiplies within 10 seconds, for 10 minutes; four rules of the autoscaler
                     day: a day from the quiet night to the peak; the same rules
--rates LIST         images per second to plan for, with commas; default 100,1000,10000,100000
--host-rate NUMBER   images per second of one model host; default 100
--cell-rate NUMBER   calls per second of one cell; default half of what a core of RabbitMQ has carried
--load NUMBER        part of the capacity of hosts that the plan uses; default 0.7
--nodes NUMBER       nodes of RabbitMQ in a cell; default 1; 3 for quorum queues
--peak NUMBER        images per second of the simulated cell at its peak; default 300
--trough NUMBER      part of the peak that remains at night; default 0.3
--hours NUMBER       length of the simulated day; default 24
--spike NUMBER       how many times as many calls the spike brings; default 2
--queue NUMBER       MAX_QUEUE: calls that may wait; default 1000
--notice NUMBER      seconds until the proxy sends no more calls to a lost cell; default 5
--start NUMBER       seconds until a new host takes its first call; default 60
--target NUMBER      milliseconds within which 99 of 100 calls should be answered; default 500
--seed NUMBER        another number gives other arrivals; default 1
--help               print this text
`

const MAX_RATES = 20
const DEFAULT_FIGURES = fileURLToPath(new URL('../fleet-figures.json', import.meta.url))

const KINDS = {
  figures: text('the path of a file', /[^/\\]$/),
  parts: { expected: `some of ${PARTS.join(', ')}, with commas between them`, parse: readParts },
  rates: { expected: `at most ${MAX_RATES} numbers from 1 to 10000000`, parse: readRates },
  'host-rate': number('images per second', 0.1, 100_000),
  'cell-rate': number('calls per second', 1, 1_000_000),
  load: plain(0.05, 0.95),
  nodes: number('nodes', 1, 9),
  peak: number('images per second', 1, 100_000),
  trough: plain(0.01, 1),
  hours: number('hours', 0.01, 1000),
  spike: number('times', 1, 100),
  queue: number('calls', 1, 1_000_000),
  notice: number('seconds', 0, 3600),
  start: number('seconds', 0, 3600),
  target: number('milliseconds', 1, 600_000),
  seed: plain(0, 2 ** 32 - 1),
} satisfies Record<string, Kind<unknown>>

/** What the command line asks for, or undefined where it asks for help. A wrong word is a CommandError. */
export function readArguments(argv: readonly string[]): Order | undefined {
  const options = readOptions(argv, { kinds: KINDS })
  if (options === undefined) return undefined
  return {
    figures: options.value('figures', DEFAULT_FIGURES),
    parts: options.value('parts', PARTS.join(',')),
    rates: options.value('rates', '100,1000,10000,100000'),
    hostRate: options.value('host-rate', '100'),
    cellRate: options.optional('cell-rate'),
    load: options.value('load', '0.7'),
    nodes: Math.round(options.value('nodes', '1')),
    peak: options.value('peak', '300'),
    trough: options.value('trough', '0.3'),
    hours: options.value('hours', '24'),
    spike: options.value('spike', '2'),
    queue: Math.round(options.value('queue', '1000')),
    notice: options.value('notice', '5'),
    start: options.value('start', '60'),
    target: options.value('target', '500') / 1000,
    seed: options.value('seed', '1'),
  }
}

function plain(min: number, max: number): Kind<number> {
  return { ...number('', min, max), expected: `a number from ${min} to ${max}` }
}

function readParts(raw: string): readonly Part[] | undefined {
  const words = raw.split(',')
  const parts = PARTS.filter((part) => words.includes(part))
  return parts.length === words.length ? parts : undefined
}

function readRates(raw: string): readonly number[] | undefined {
  const values = raw.split(',').map(readNumber)
  const areRight = values.every((value) => value !== undefined && within(value, 1, 10_000_000))
  return areRight && values.length <= MAX_RATES ? (values as number[]) : undefined
}

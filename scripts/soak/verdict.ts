import { bytesText, countText, NONE } from '../shared/figure-text.ts'
import { type Growth, growth, type Life, lowestOf } from './growth.ts'
import type { ChildSample, Sample } from './sampler.ts'
import type { ServiceExit } from './service-process.ts'
import type { RouteTally } from './tally.ts'

export interface Check {
  readonly what: string
  readonly measured: string
  readonly limit: string
  /** undefined: the test was too short to tell */
  readonly isGood: boolean | undefined
}

export interface Measured {
  readonly samples: readonly Sample[]
  readonly all: RouteTally
  /** seconds after which growth is measured, of the test and of the life of each child */
  readonly settleSeconds: number
  readonly errors: number
  /** whether the service ended before the test */
  readonly isOver: boolean
  /** undefined: the service had to be killed */
  readonly exit: ServiceExit | undefined
}

const SETTLE_S = 600
const MIB = 2 ** 20
const MAX_MIB_PER_HOUR = 2
const MAX_DESCRIPTORS_PER_HOUR = 20
/** A shorter measurement cannot tell 2 MiB an hour from chance. */
const MIN_JUDGED_S = 1200
/** Refusals with a documented code, of all requests. */
const MAX_REFUSED = 0.01
const WINDOW_S = 30

/** The first ten minutes, or the first third of a shorter test: until caches are full and code is compiled. */
export function settleSecondsOf(seconds: number): number {
  return Math.min(SETTLE_S, seconds / 3)
}

export function checksOf(measured: Measured): Check[] {
  const { samples, all, settleSeconds, errors } = measured
  const zero = (what: string, count: number): Check => ({
    what,
    measured: countText(count),
    limit: '0',
    isGood: count === 0,
  })
  const web = (read: (sample: Sample) => number | undefined) => [
    pointsOf(samples, ({ at }) => at, read, settleSeconds),
  ]
  const models = [...new Set(samples.flatMap(({ children }) => children.map(({ model }) => model)))].sort()
  return [
    {
      what: 'right answers',
      measured: countText(all.right),
      limit: 'some',
      isGood: all.right > 0,
    },
    zero('wrong answers', all.wrong),
    zero('lost requests', all.lost),
    zero('hung requests', all.hung),
    {
      what: 'requests refused after all retries',
      measured: countText(all.refused),
      limit: `${MAX_REFUSED * 100} %`,
      isGood: all.refused <= all.asked * MAX_REFUSED,
    },
    zero('errors in the log', errors),
    exitCheck(measured),
    memoryCheck(
      'web process',
      web((sample) => sample.web?.privateBytes),
    ),
    ...models.map((model) =>
      memoryCheck(`children of ${model}`, livesOf(samples, model, settleSeconds).map(lowest)),
    ),
    countCheck(
      'descriptors of the web process',
      web((sample) => sample.web?.descriptors),
    ),
    countCheck(
      'active handles of the web process',
      web((sample) => sample.server?.handles),
    ),
  ]
}

export function isGood(checks: readonly Check[]): boolean {
  return checks.every((check) => check.isGood !== false)
}

/** The private memory of each child of a model, over its age, from the time on at which the child has settled. */
export function livesOf(samples: readonly Sample[], model: string, settleSeconds: number): Life[] {
  const lives = new Map<number, ChildSample[]>()
  for (const { children } of samples) {
    for (const child of children) {
      if (child.model !== model || child.age < settleSeconds) continue
      const life = lives.get(child.pid) ?? []
      life.push(child)
      lives.set(child.pid, life)
    }
  }
  return [...lives.values()].map((life) =>
    life.map(({ age, privateBytes }) => ({ seconds: age, value: privateBytes })),
  )
}

function pointsOf(
  samples: readonly Sample[],
  at: (sample: Sample) => number,
  read: (sample: Sample) => number | undefined,
  settleSeconds: number,
): Life {
  const life = samples.flatMap((sample) => {
    const value = read(sample)
    return value === undefined || sample.at < settleSeconds ? [] : [{ seconds: at(sample), value }]
  })
  return lowest(life)
}

function lowest(life: Life): Life {
  return lowestOf(life, WINDOW_S)
}

function exitCheck({ exit, isOver }: Measured): Check {
  const how = exit === undefined ? 'killed' : `exit ${exit.code ?? exit.signal}`
  return {
    what: 'end after SIGTERM',
    measured: isOver ? `${how} before SIGTERM` : how,
    limit: 'exit 0',
    isGood: !isOver && exit?.code === 0,
  }
}

function memoryCheck(what: string, lives: readonly Life[]): Check {
  const least = Math.min(...lives.flat().map(({ value }) => value))
  return growthCheck(
    `growth of ${what}, private memory`,
    lives,
    MAX_MIB_PER_HOUR,
    (grown) => {
      const text = (bytes: number) => (bytes / MIB).toFixed(1)
      return `${text(grown.perHour)} ± ${text(grown.margin)} MiB an hour, from ${bytesText(least)}`
    },
    MIB,
    'MiB',
  )
}

function countCheck(what: string, lives: readonly Life[]): Check {
  return growthCheck(
    `growth of ${what}`,
    lives,
    MAX_DESCRIPTORS_PER_HOUR,
    (grown) => `${grown.perHour.toFixed(1)} ± ${grown.margin.toFixed(1)} an hour`,
    1,
    '',
  )
}

function growthCheck(
  what: string,
  lives: readonly Life[],
  max: number,
  text: (grown: Growth) => string,
  unit: number,
  unitName: string,
): Check {
  const grown = growth(lives)
  const limit = `below ${max}${unitName && ` ${unitName}`} an hour`
  if (grown === undefined) return { what, measured: NONE, limit, isGood: undefined }
  const measured = `${text(grown)}, measured for ${Math.round(grown.seconds / 60)} min`
  const isGood = grown.seconds < MIN_JUDGED_S ? undefined : grown.perHour < max * unit
  return { what, measured, limit, isGood }
}

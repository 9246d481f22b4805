import { type Kind, number, readNumber, readOptions, text, usage, within } from '../shared/options.ts'

/** One part of a test: so many users who wait for their answers, or so many arrivals per second that wait for nothing. */
export type Level =
  | { readonly kind: 'closed'; readonly users: number }
  | { readonly kind: 'open'; readonly rate: number }

/** Seconds, from the shortest to the longest. */
export type ThinkTime = readonly [number, number]

export interface Plan {
  readonly url: URL
  /** Made one after the other. */
  readonly levels: readonly Level[]
  readonly secondsPerLevel: number
  readonly think: ThinkTime
  readonly timeoutMs: number
  /** undefined: the server's own choice for /predict */
  readonly model: string | undefined
  /** undefined: pictures by formula */
  readonly images: string | undefined
  /** Whether the server may answer from its cache. */
  readonly same: boolean
  /** Path of the reports, without the ending. */
  readonly report: string
  readonly key: string | undefined
}

export const USAGE = `tandem stress [--users 10,100,600] [--minutes 2]

Loads a running server with GET / and POST /predict, one to three, and writes a
report in HTML and Markdown. Ctrl-C ends early and reports what was measured.

--url ADDRESS     server to load; default http://127.0.0.1:2017
--users LIST      users of each level, who wait for the answer and then think;
                  default 10,100,600, or none where --rate is given
--rate LIST       arrivals per second of each further level, which do not wait
--minutes NUMBER  duration of each level; default 2
--think MIN,MAX   seconds between an answer and the next request; default 1,5
--timeout NUMBER  seconds until an open request counts as failed; default 120
--model NAME      model to ask; default: the one that the server uses here
--images FOLDER   images to send; default: photographs by formula
--same            send the same images again, for the cache of the server
--report PATH     where to write PATH.html and PATH.md; default stress-report
--help            print this text

A server with API_KEYS needs one of its keys in TANDEM_KEY. docs/stress.md has
more. Exit codes: 0 every request was answered, 1 a request failed, 2 wrong
options, 3 the server cannot be reached, 130 Ctrl-C.
`

const MAX_LEVELS = 20
/** One process of Node holds as many connections and timers with ease. */
const MAX_USERS = 5000
/** Above this, the tester would measure itself. */
const MAX_RATE = 2000
const MAX_MINUTES = 1440
const MAX_SECONDS = 3600
const DEFAULT_USERS = '10,100,600'

const KINDS = {
  url: { expected: 'an http:// or https:// address without a path', parse: readUrl },
  users: numbers(
    `whole numbers from 1 to ${MAX_USERS}`,
    (n) => Number.isInteger(n) && within(n, 1, MAX_USERS),
  ),
  rate: numbers(`numbers from 0.1 to ${MAX_RATE}`, (n) => within(n, 0.1, MAX_RATE)),
  minutes: number('minutes', 0.01, MAX_MINUTES),
  think: { expected: `two numbers of seconds from 0 to ${MAX_SECONDS}, the smaller first`, parse: readThink },
  timeout: number('seconds', 1, MAX_SECONDS),
  model: text('a name of a-z, 0-9, - and _', /^[a-z0-9_-]{1,100}$/),
  images: text('a folder', /./s),
  report: text('a path without an ending', /[^/\\]$/),
} satisfies Record<string, Kind<unknown>>

/** The names of all options, and whether a value follows, for completion. */
export const STRESS_OPTIONS = {
  ...Object.fromEntries(
    Object.entries(KINDS).map(([name, { expected }]) => [name, { value: 'VALUE', help: expected }]),
  ),
  same: { help: 'send the same pictures again' },
}

/** What the command line asks for, or undefined where it asks for help. A wrong word is a CommandError. */
export function readArguments(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Plan | undefined {
  const options = readOptions(argv, { kinds: KINDS, switches: ['same'] })
  if (options === undefined) return undefined
  const rates = options.optional('rate') ?? []
  const users = options.has('users') || rates.length === 0 ? options.value('users', DEFAULT_USERS) : []
  return {
    url: options.value('url', 'http://127.0.0.1:2017'),
    levels: [
      ...users.map((count): Level => ({ kind: 'closed', users: count })),
      ...rates.map((rate): Level => ({ kind: 'open', rate })),
    ],
    secondsPerLevel: options.value('minutes', '2') * 60,
    think: options.value('think', '1,5'),
    timeoutMs: options.value('timeout', '120') * 1000,
    model: options.optional('model'),
    images: options.optional('images'),
    same: options.isOn('same'),
    report: options.value('report', 'stress-report'),
    key: readKey(env.TANDEM_KEY),
  }
}

/** The key is never shown, not even a wrong one. */
function readKey(key: string | undefined): string | undefined {
  if (key === undefined || key === '') return undefined
  if (/^[\x21-\x7e]+$/.test(key)) return key
  throw usage('TANDEM_KEY must be letters, digits and ._~+/=- alone, but holds something else.')
}

function readUrl(raw: string): URL | undefined {
  if (!URL.canParse(raw)) return undefined
  const url = new URL(raw)
  const isBare =
    url.pathname === '/' && url.search === '' && url.hash === '' && url.username + url.password === ''
  return isBare && /^https?:$/.test(url.protocol) ? url : undefined
}

function readThink(raw: string): ThinkTime | undefined {
  const [min, max, ...rest] = raw.split(',').map(readNumber)
  if (min === undefined || max === undefined || rest.length > 0) return undefined
  return min <= max && within(min, 0, MAX_SECONDS) && within(max, 0, MAX_SECONDS) ? [min, max] : undefined
}

function numbers(what: string, fits: (value: number) => boolean): Kind<readonly number[]> {
  return {
    expected: `at most ${MAX_LEVELS} ${what}, with commas between them`,
    parse(raw) {
      const values = raw.split(',').map(readNumber)
      return values.length <= MAX_LEVELS && values.every((value) => value !== undefined && fits(value))
        ? (values as number[])
        : undefined
    },
  }
}

import { parseArgs } from 'node:util'
import { nearest } from '../../lib/config/nearest-word.ts'
import { CommandError, EXIT } from './command-error.ts'

export interface Kind<T> {
  readonly expected: string
  /** undefined: not as expected */
  parse(text: string): T | undefined
}

type Kinds = Readonly<Record<string, Kind<unknown>>>
type ValueOf<K> = K extends Kind<infer T> ? T : never

export interface Options<K extends Kinds> {
  has(name: keyof K): boolean
  /** The value of an option, or of the fallback, which is parsed in the same way. */
  value<N extends keyof K & string>(name: N, fallback: string): ValueOf<K[N]>
  optional<N extends keyof K & string>(name: N): ValueOf<K[N]> | undefined
  /** whether an option without a value was given */
  isOn(name: string): boolean
  /** everything after a `--`, for a command whose grammar has a rest */
  readonly rest: readonly string[]
}

export interface Grammar<K extends Kinds> {
  readonly kinds: K
  /** options without a value, besides --help */
  readonly switches?: readonly string[]
  /** whether the words after a `--` belong to another program */
  readonly hasRest?: boolean
}

/** Reads a command line, or gives undefined for one that asks for help. A wrong word is a CommandError. */
export function readOptions<K extends Kinds>(
  argv: readonly string[],
  { kinds, switches = [], hasRest = false }: Grammar<K>,
): Options<K> | undefined {
  const end = hasRest ? argv.indexOf('--') : -1
  const own = end < 0 ? argv : argv.slice(0, end)
  const texts = new Map<string, string>()
  const on = new Set<string>()
  for (const token of tokensOf(own, Object.keys(kinds), [...switches, 'help'])) {
    if (token.kind === 'option-terminator') continue
    if (token.kind === 'positional') throw usage(`Options were expected, but "${token.value}" came.`)
    const { name, rawName, value, inlineValue } = token
    if (name === 'help') return undefined
    if (switches.includes(name)) {
      if (value !== undefined) throw usage(`--${name} takes no value, but "${value}" came.`)
      on.add(name)
    } else if (!Object.hasOwn(kinds, name)) {
      throw unknownOption(rawName, [...Object.keys(kinds), ...switches, 'help'])
    }
    // Without this, "--model --same" would look for a model called "--same".
    else if (value === undefined || value === '' || (!inlineValue && value.startsWith('--')))
      throw usage(`--${name} must have a value, but none came.`)
    else texts.set(name, value)
  }
  const value: Options<K>['value'] = (name, fallback) => must(kinds, name, texts.get(name) ?? fallback)
  return {
    value,
    has: (name) => texts.has(String(name)),
    optional: (name) => (texts.has(name) ? value(name, '') : undefined),
    isOn: (name) => on.has(name),
    rest: end < 0 ? [] : argv.slice(end + 1),
  }
}

export function number(unit: string, min: number, max: number): Kind<number> {
  return {
    expected: `a number of ${unit} from ${min} to ${max}`,
    parse(raw) {
      const value = readNumber(raw)
      return value !== undefined && within(value, min, max) ? value : undefined
    },
  }
}

export function text(expected: string, pattern: RegExp): Kind<string> {
  return { expected, parse: (raw) => (pattern.test(raw) ? raw : undefined) }
}

export function readNumber(raw: string): number | undefined {
  return /^\d+(\.\d+)?$/.test(raw.trim()) ? Number(raw) : undefined
}

export function within(value: number, min: number, max: number): boolean {
  return value >= min && value <= max
}

export function usage(message: string): CommandError {
  return new CommandError(message, EXIT.usage)
}

function tokensOf(argv: readonly string[], names: readonly string[], switches: readonly string[]) {
  const options = Object.fromEntries([
    ...names.map((name) => [name, { type: 'string' as const }]),
    ...switches.map((name) => [name, { type: 'boolean' as const, ...(name === 'help' && { short: 'h' }) }]),
  ])
  return parseArgs({ args: [...argv], options, strict: false, tokens: true }).tokens
}

function must<K extends Kinds, N extends keyof K & string>(kinds: K, name: N, raw: string): ValueOf<K[N]> {
  const kind = kinds[name]
  const value = kind?.parse(raw)
  if (value === undefined) throw usage(`--${name} must be ${kind?.expected}, but is "${raw}".`)
  return value as ValueOf<K[N]>
}

function unknownOption(rawName: string, known: readonly string[]): CommandError {
  const near = nearest(rawName.replace(/^-+/, ''), known)
  return usage(
    near === undefined
      ? `There is no option ${rawName}; --help lists them all.`
      : `There is no option ${rawName}; did you mean --${near}?`,
  )
}

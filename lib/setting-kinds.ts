/** One kind of value that a setting can have: how it is read, and how to say what was expected. */
export interface Kind<T> {
  /** completes the sentence "PORT must be ..." */
  readonly expected: string
  /** the same in a few characters, for a table */
  readonly bounds: string
  /** undefined when the text is no such value */
  parse(text: string): T | undefined
}

export interface Model {
  readonly name: string
  readonly path?: string
}

/** First words of paths that the web process keeps for itself, now or soon: a model of that name could not be reached. */
export const RESERVED_NAMES: readonly string[] = [
  'api',
  'docs',
  'feedback',
  'healthz',
  'images',
  'metrics',
  'models',
  'public',
  'readyz',
  'v1',
  'v2',
]

const UNITS: Readonly<Record<string, number>> = { '': 1, b: 1, kb: 2 ** 10, mb: 2 ** 20, gb: 2 ** 30 }
const MODEL_NAME = /^[a-z0-9][a-z0-9_-]*$/

export function wholeNumber(min: number, max: number): Kind<number> {
  return {
    expected: `a whole number from ${min} to ${max}`,
    bounds: `${min} to ${max}`,
    parse(text) {
      if (!/^\d{1,15}$/.test(text)) return undefined
      return within(Number(text), min, max)
    },
  }
}

/** A size: plain bytes, or a number with kb, mb or gb (powers of 1024). */
export function bytes(min: number, max: number): Kind<number> {
  return {
    expected: `a size from ${min} to ${max} bytes, such as 1048576 or 64mb`,
    bounds: `${size(min)} to ${size(max)}`,
    parse(text) {
      const [, digits, unit = ''] = /^(\d{1,15}) ?([kmg]?b)?$/i.exec(text) ?? []
      const scale = UNITS[unit.toLowerCase()]
      if (digits === undefined || scale === undefined) return undefined
      return within(Number(digits) * scale, min, max)
    },
  }
}

export function oneOf<const T extends string>(...words: readonly T[]): Kind<T> {
  return {
    expected: `one of ${words.join(', ')}`,
    bounds: words.join(', '),
    parse: (text) => words.find((word) => word === text),
  }
}

/** Any text; a setting of this kind that is left out stays empty. */
export function text(expected: string): Kind<string> {
  return { expected, bounds: expected, parse: (value) => value }
}

/** An address of the web, or nothing. */
export function url(): Kind<string> {
  return {
    expected: 'an address that begins with http:// or https://',
    bounds: 'http:// or https://',
    parse: (text) => (text === '' || (/^https?:/.test(text) && URL.canParse(text)) ? text : undefined),
  }
}

/** `vgg16,mine=./mine.onnx`: what is served, and under which names. */
export function modelList(): Kind<readonly Model[]> {
  return {
    expected:
      'a comma list of unique entries "name" or "name=path", where a name is made of a-z, 0-9, "-" and "_" ' +
      `and is none of ${RESERVED_NAMES.join(', ')}`,
    bounds: 'unique names of a-z, 0-9, - and _',
    parse(list) {
      const models = list.trim() === '' ? [] : list.split(',').map((entry) => parseModel(entry.trim()))
      const names = new Set(models.map((model) => model.name))
      return names.size === models.length && [...names].every(isModelName) ? models : undefined
    },
  }
}

/** The flag of a variable: MAX_QUEUE is --max-queue. */
export function flagOf(env: string): string {
  return env.toLowerCase().replaceAll('_', '-')
}

function parseModel(entry: string): Model {
  const at = entry.indexOf('=')
  if (at < 0) return { name: entry }
  const path = entry.slice(at + 1)
  // An empty name is no model's name, so "name=" is refused like any other wrong entry.
  return { name: path === '' ? '' : entry.slice(0, at), path }
}

function isModelName(name: string): boolean {
  return MODEL_NAME.test(name) && !RESERVED_NAMES.includes(name)
}

/** A power of 1024 in its unit, anything else in bytes. */
function size(value: number): string {
  const [unit, scale] = Object.entries(UNITS).findLast(([, scale]) => value % scale === 0) ?? ['b', 1]
  return `${value / scale}${unit}`
}

function within(value: number, min: number, max: number): number | undefined {
  return value >= min && value <= max ? value : undefined
}

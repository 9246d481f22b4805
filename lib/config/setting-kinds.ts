import { isIP } from 'node:net'

/** One kind of value that a setting can have: how it is read, and how to say what was expected. */
export interface Kind<T> {
  /** completes the sentence "PORT must be ..." */
  readonly expected: string
  /** the same in a few characters, for a table */
  readonly bounds: string
  /** never shown, not even when it is wrong */
  readonly isSecret?: true
  /** names one of MODELS */
  readonly isModel?: true
  /** undefined when the text is no such value */
  parse(text: string): T | undefined
}

export interface Model {
  readonly name: string
  readonly path?: string
}

/** First words of paths that the web process keeps for itself, now or soon. A model of such a name could not be reached. */
export const RESERVED_NAMES: readonly string[] = [
  'api',
  'display',
  'docs',
  'feedback',
  'healthz',
  'images',
  'infer',
  'labels',
  'metrics',
  'models',
  'openapi',
  'predict',
  'predictlabel',
  'public',
  'readyz',
  'status',
  'uploads',
  'v1',
  'v2',
  'vgg',
]

const UNITS: Readonly<Record<string, number>> = { '': 1, b: 1, kb: 2 ** 10, mb: 2 ** 20, gb: 2 ** 30 }
// A last label of digits alone would be read as an address of an odd spelling.
const HOST_NAME = /^\.?([a-z0-9_]([a-z0-9_-]*[a-z0-9_])?\.)*[a-z0-9_]*[a-z_][a-z0-9_-]*$/
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

/** From 0 to 1, such as 0.5. */
export function fraction(): Kind<number> {
  return {
    expected: 'a number from 0 to 1',
    bounds: '0 to 1',
    parse: (text) => (/^\d?\.?\d{1,9}$/.test(text) ? within(Number(text), 0, 1) : undefined),
  }
}

/** The name of one of the models, or nothing; whether it is served is looked at when all settings are known. */
export function servedModel(): Kind<string> {
  return {
    expected: 'the name of a model that is served',
    bounds: 'a name of MODELS',
    isModel: true,
    parse: (text) => (text === '' || isModelName(text) ? text : undefined),
  }
}

/** `images.example.com,.example.org,10.1.0.0/16`: names, all names below one, addresses, networks. */
export function hostList(): Kind<readonly string[]> {
  return list('names (".example.org" for all below it), addresses or networks (10.0.0.0/8)', (entry) => {
    const host = entry.toLowerCase().replace(/^\[(.*)\]$/, '$1')
    return isAddressOrNetwork(host) || HOST_NAME.test(host) ? host : undefined
  })
}

/** `tandem.example.com,.example.org`: names, all names below one; `*` for every one. */
export function hostnameList(): Kind<readonly string[]> {
  return list('host names (".example.org" for all below it), or *', (entry) => {
    const name = entry.toLowerCase()
    return name === '*' || HOST_NAME.test(name) ? name : undefined
  })
}

export function portList(): Kind<readonly number[]> {
  return list('ports from 1 to 65535', (entry) =>
    /^\d{1,5}$/.test(entry) ? within(Number(entry), 1, 65535) : undefined,
  )
}

/** What a browser sends as `Origin`, such as https://example.com; `*` for every one. */
export function originList(): Kind<readonly string[]> {
  return list('origins such as https://example.com, or *', (entry) => {
    if (entry === '*') return entry
    return URL.canParse(entry) && new URL(entry).origin === entry ? entry : undefined
  })
}

/** Keys as they may stand in a header. Short ones can be guessed. */
export function secretList(): Kind<readonly string[]> {
  const keys = list('keys of 16 to 256 letters, digits or ._~+/=-', (entry) =>
    /^[\w.~+/=-]{16,256}$/.test(entry) ? entry : undefined,
  )
  return { ...keys, isSecret: true }
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

/** Entries with commas between them; one wrong entry makes the whole list wrong. */
function list<T>(entries: string, parseEntry: (entry: string) => T | undefined): Kind<readonly T[]> {
  return {
    expected: `a comma list of ${entries}`,
    bounds: entries,
    parse(text) {
      if (text.trim() === '') return []
      const parsed = text.split(',').map((entry) => parseEntry(entry.trim()))
      return parsed.every((value) => value !== undefined) ? parsed : undefined
    },
  }
}

function isAddressOrNetwork(host: string): boolean {
  const [address = '', bits, ...more] = host.split('/')
  const family = isIP(address)
  if (family === 0 || more.length > 0) return false
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128))
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

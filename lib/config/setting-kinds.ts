import { isIP } from 'node:net'

/** One kind of value that a setting can have: the parser, and the words for help texts and errors. */
export interface Kind<T> {
  /** completes the sentence "PORT must be ..." */
  readonly expected: string
  /** `expected` in a few characters, for tables and --help */
  readonly bounds: string
  /** the value is never shown, not even in the error for a wrong value */
  readonly isSecret?: true
  /** the value is a name from MODELS */
  readonly isModel?: true
  /** undefined if the text is not a valid value */
  parse(text: string): T | undefined
}

export interface Model {
  readonly name: string
  readonly path?: string
  /** what a settings file beside the model may have too; only a program that uses Tandem as a library can give these */
  readonly settings?: Readonly<Record<string, unknown>>
}

/** First path segments that the web process uses or may use later: a model of such a name could not be reached. */
export const RESERVED_NAMES: readonly string[] = [
  'api',
  'display',
  'docs',
  'embed',
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
// The last label must not be all digits: URL parsers read such a name as an IPv4 address.
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

/** A number, or the word for a number that the service finds out. */
export function orAuto(kind: Kind<number>): Kind<number | 'auto'> {
  return {
    expected: `auto, or ${kind.expected}`,
    bounds: `auto, or ${kind.bounds}`,
    parse: (text) => (text === 'auto' ? text : kind.parse(text)),
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

/** Any text, also the empty one. */
export function text(expected: string): Kind<string> {
  return { expected, bounds: expected, parse: (value) => value }
}

/** An http or https address, or nothing. */
export function url(): Kind<string> {
  return {
    expected: 'an address that begins with http:// or https://',
    bounds: 'http:// or https://',
    parse: (text) => (text === '' || (/^https?:/.test(text) && URL.canParse(text)) ? text : undefined),
  }
}

/** A number from 0 to 1, such as 0.5. */
export function fraction(): Kind<number> {
  return {
    expected: 'a number from 0 to 1',
    bounds: '0 to 1',
    parse: (text) => (/^\d?\.?\d{1,9}$/.test(text) ? within(Number(text), 0, 1) : undefined),
  }
}

/** The name of a served model, or nothing. readConfig checks the name against MODELS once all settings are read. */
export function servedModel(): Kind<string> {
  return {
    expected: 'the name of a model that is served',
    bounds: 'a name from MODELS',
    isModel: true,
    parse: (text) => (text === '' || isModelName(text) ? text : undefined),
  }
}

/** `images.example.com,.example.org,10.1.0.0/16`: host names, all subdomains of a name, addresses, networks. */
export function hostList(): Kind<readonly string[]> {
  return list('names (".example.org" for all subdomains), addresses or networks (10.0.0.0/8)', (entry) => {
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

/** Origins as browsers send them, such as https://example.com; `*` for every origin. */
export function originList(): Kind<readonly string[]> {
  return list('origins such as https://example.com, or *', (entry) => {
    if (entry === '*') return entry
    return URL.canParse(entry) && new URL(entry).origin === entry ? entry : undefined
  })
}

/** Keys of characters that a header allows. Short keys could be guessed. */
export function secretList(): Kind<readonly string[]> {
  const keys = list('keys of 16 to 256 letters, digits or ._~+/=-', (entry) =>
    /^[\w.~+/=-]{16,256}$/.test(entry) ? entry : undefined,
  )
  return { ...keys, isSecret: true }
}

/** One key for a server, or nothing. */
export function secret(): Kind<string> {
  return {
    expected: 'a key of letters, digits and ._~+/=-',
    bounds: 'letters, digits and ._~+/=-',
    isSecret: true,
    parse: (text) => (/^[\w.~+/=-]{0,256}$/.test(text) ? text : undefined),
  }
}

/** Addresses of RabbitMQ. A password in an address may hold a comma only as %2C, and a % only as %25. */
export function amqpList(): Kind<readonly string[]> {
  const isEncoded = (entry: string) => !/%(?![\da-f]{2})/i.test(entry)
  const addresses = list('amqp:// or amqps:// addresses, with %25 for % in a password', (entry) =>
    /^amqps?:\/\/[^/]/.test(entry) && isEncoded(entry) && URL.canParse(entry) ? entry : undefined,
  )
  return { ...addresses, isSecret: true }
}

/** A name of this host, or nothing. */
export function hostName(): Kind<string> {
  return {
    expected: 'at most 100 letters, digits and .:_-',
    bounds: 'letters, digits and .:_-',
    parse: (text) => (/^[\w.:-]{0,100}$/.test(text) ? text : undefined),
  }
}

/** `vgg16,mine=./mine.onnx`: the models to serve, by name or by name and path. */
export function modelList(): Kind<readonly Model[]> {
  return {
    expected:
      'a comma-separated list of unique entries "name" or "name=path", where a name is made of a-z, 0-9, "-" and "_" ' +
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

/** A comma-separated list. One wrong entry makes the whole list wrong. */
function list<T>(entries: string, parseEntry: (entry: string) => T | undefined): Kind<readonly T[]> {
  return {
    expected: `a comma-separated list of ${entries}`,
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
  // "name=" lacks the path: the empty name makes the entry wrong.
  return { name: path === '' ? '' : entry.slice(0, at), path }
}

function isModelName(name: string): boolean {
  return MODEL_NAME.test(name) && !RESERVED_NAMES.includes(name)
}

/** Written with the largest unit that divides the value, such as 20mb. */
function size(value: number): string {
  const [unit, scale] = Object.entries(UNITS).findLast(([, scale]) => value % scale === 0) ?? ['b', 1]
  return `${value / scale}${unit}`
}

function within(value: number, min: number, max: number): number | undefined {
  return value >= min && value <= max ? value : undefined
}

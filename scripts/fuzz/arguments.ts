import { parseArgs } from 'node:util'
import { nearest } from '../../lib/config/nearest-word.ts'
import { FuzzError } from './fuzz-error.ts'

export const KINDS = ['images', 'weights', 'http'] as const
export type KindName = (typeof KINDS)[number]

export interface Request {
  readonly kind: KindName
  readonly seconds: number
  readonly inputs: number
  /** undefined: another one each time, and the inputs of earlier runs are used */
  readonly seed: number | undefined
  /** The one input to try, instead of many. */
  readonly file: string | undefined
}

export const USAGE = `npm run fuzz -- images|weights|http [--seconds 60] [--seed N]

Tries damaged inputs on the code that reads files and requests from anyone, and saves each input that does harm.

images            image readers, decoders and scaling, in a process of their own
weights           readers of model files and the compiler, in a process of their own
http              a whole service, over sockets

--seconds NUMBER  duration; default 60
--inputs NUMBER   end after so many inputs, too
--seed NUMBER     make the same inputs as another run with this seed; inputs of earlier runs are not used then
--file PATH       try this one file, such as a saved input, and print the outcome
--help            print this text

Inputs with new outcomes are kept in .fuzz/corpus and used again. Inputs that do harm are made as small as possible and saved in
.fuzz/crashers, each with a text that has the error and the line that tries the input again.
Ctrl-C ends the run with the summary. Exit codes: 0 no harm, 1 harm, 2 wrong options.
`

const NUMBERS = {
  seconds: { most: 86_400, fallback: 60 },
  inputs: { most: 1e12, fallback: Number.POSITIVE_INFINITY },
  seed: { most: 2 ** 32 - 1, fallback: undefined },
} as const
const OPTIONS = [...Object.keys(NUMBERS), 'file', 'help']

/** What the command line asks for; undefined if it asks for help. */
export function readArguments(argv: readonly string[]): Request | undefined {
  const options = Object.fromEntries(
    OPTIONS.map((name) => [name, { type: name === 'help' ? 'boolean' : 'string' } as const]),
  )
  const { tokens } = parseArgs({ args: [...argv], options, strict: false, tokens: true })
  const words: string[] = []
  const texts = new Map<string, string>()
  for (const token of tokens) {
    if (token.kind === 'positional') words.push(token.value)
    if (token.kind !== 'option') continue
    const { name, rawName, value, inlineValue } = token
    if (name === 'help') return undefined
    if (!OPTIONS.includes(name))
      throw unknown(
        'option',
        rawName,
        OPTIONS.map((option) => `--${option}`),
      )
    if (value === undefined || value === '' || (!inlineValue && value.startsWith('--')))
      throw new FuzzError(`--${name} must have a value, but none came.`)
    texts.set(name, value)
  }
  const [word, ...others] = words
  const kind = KINDS.find((name) => name === word)
  if (word === undefined)
    throw new FuzzError(`One of ${KINDS.join(', ')} must come first; --help explains them.`)
  if (kind === undefined) throw unknown('kind', word, KINDS)
  if (others.length > 0) throw new FuzzError(`One kind was expected, but "${others.join(' ')}" came, too.`)
  return {
    kind,
    seconds: numberIn(texts, 'seconds'),
    inputs: numberIn(texts, 'inputs'),
    seed: texts.has('seed') ? numberIn(texts, 'seed') : undefined,
    file: texts.get('file'),
  }
}

function numberIn(texts: ReadonlyMap<string, string>, name: keyof typeof NUMBERS): number {
  const { most, fallback = 0 } = NUMBERS[name]
  const text = texts.get(name)
  if (text === undefined) return fallback
  const least = name === 'seed' ? 0 : 1
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (value >= least && value <= most) return value
  throw new FuzzError(`--${name} must be a whole number from ${least} to ${most}, but is "${text}".`)
}

function unknown(what: string, word: string, known: readonly string[]): FuzzError {
  const near = nearest(word, known)
  const hint = near === undefined ? '--help lists them all' : `did you mean ${near}?`
  return new FuzzError(`There is no ${what} ${word}; ${near === undefined ? `${hint}.` : hint}`)
}

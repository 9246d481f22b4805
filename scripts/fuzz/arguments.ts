import { nearest } from '../../lib/config/nearest-word.ts'
import { type Kind, readNumber, readOptions, text, usage, within } from '../shared/options.ts'

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

const OPTIONS = {
  seconds: wholeNumber(1, 86_400),
  inputs: wholeNumber(1, Number.MAX_SAFE_INTEGER),
  seed: wholeNumber(0, 2 ** 32 - 1),
  file: text('the path of a file', /./s),
}

/** What the command line asks for; undefined if it asks for help. */
export function readArguments(argv: readonly string[]): Request | undefined {
  const [word = '', ...others] = argv
  const kind = KINDS.find((name) => name === word)
  const options = readOptions(kind === undefined && word.startsWith('-') ? argv : others, { kinds: OPTIONS })
  if (options === undefined) return undefined
  if (kind === undefined) {
    const near = nearest(word, KINDS)
    const hint = near === undefined ? '' : `; did you mean ${near}?`
    throw usage(`The first word must be one of ${KINDS.join(', ')}, but is "${word}"${hint || '.'}`)
  }
  return {
    kind,
    seconds: options.value('seconds', '60'),
    inputs: options.optional('inputs') ?? Number.POSITIVE_INFINITY,
    seed: options.optional('seed'),
    file: options.optional('file'),
  }
}

function wholeNumber(least: number, most: number): Kind<number> {
  return {
    expected: `a whole number from ${least} to ${most}`,
    parse(raw) {
      const value = readNumber(raw)
      return Number.isInteger(value) && value !== undefined && within(value, least, most) ? value : undefined
    },
  }
}

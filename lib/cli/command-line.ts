import { parseArgs } from 'node:util'
import { configOfThisProcess } from '../config/config.ts'
import { nearest } from '../config/nearest-word.ts'
import { flagOf } from '../config/setting-kinds.ts'
import { SETTINGS } from '../config/settings.ts'
import { type Command, type CommandLine, type Option, usageError } from './command.ts'

/** Options of every command. */
export const COMMON_OPTIONS: Readonly<Record<string, Option>> = {
  verbose: { help: 'the stack of an error too' },
  help: { help: 'this text' },
}

/** The arguments of a command: its own options, its words, and the flags of settings, read as a Config. */
export function readCommandLine(command: Command, args: readonly string[]): CommandLine {
  const { words, options, rest } = split(args, command)
  const { subcommands, defaultSubcommand, takesSettings } = command
  const [first] = words
  if (subcommands !== undefined && (first === undefined || !Object.hasOwn(subcommands, first))) {
    if (defaultSubcommand === undefined) throw unknownSubcommand(first, Object.keys(subcommands))
    words.unshift(defaultSubcommand)
  }
  // Without the command's own flags, which the settings would refuse as unknown.
  return { words, options, config: configOfThisProcess(takesSettings ? rest : []) }
}

function split(args: readonly string[], { options: own, takesSettings }: Command) {
  const kinds: Command['options'] = { ...own, ...COMMON_OPTIONS }
  const settings = takesSettings ? Object.values(SETTINGS).map(({ env }) => flagOf(env)) : []
  const known = Object.fromEntries([
    ...settings.map((flag) => [flag, { type: 'string' as const }]),
    ...Object.entries(kinds).map(([name, { value }]) => [
      name,
      { type: value === undefined ? ('boolean' as const) : ('string' as const) },
    ]),
  ])
  const { tokens } = parseArgs({ args: [...args], options: known, strict: false, tokens: true })
  const words: string[] = []
  const rest: string[] = []
  const options: Record<string, string | true | undefined> = {}
  for (const token of tokens) {
    if (token.kind === 'positional') words.push(token.value)
    if (token.kind !== 'option') continue
    const kind = Object.hasOwn(kinds, token.name) ? kinds[token.name] : undefined
    if (kind !== undefined) options[token.name] = ownValue(token, kind)
    else if (!settings.includes(token.name)) throw unknownOption(token.rawName, Object.keys(known))
    else if (token.inlineValue) rest.push(`${token.rawName}=${token.value}`)
    else rest.push(token.rawName, ...(token.value === undefined ? [] : [token.value]))
  }
  return { words, options, rest }
}

interface OptionToken {
  readonly rawName: string
  readonly value: string | undefined
  readonly inlineValue: boolean | undefined
}

function ownValue({ rawName, value, inlineValue }: OptionToken, kind: Option): string | true {
  if (kind.value === undefined) {
    if (value === undefined) return true
    throw usageError(`${rawName} takes no value, but has "${value}".`)
  }
  // Without this, "--model --json" would look for a model called "--json".
  if (value !== undefined && value !== '' && (inlineValue || !value.startsWith('-'))) return value
  throw usageError(`${rawName} must have a value, but has none.`)
}

function unknownOption(rawName: string, known: readonly string[]): Error {
  const near = nearest(rawName.replace(/^-+/, ''), known)
  return usageError(
    `There is no flag ${rawName}; ${near === undefined ? '--help lists them all.' : `did you mean --${near}?`}`,
  )
}

function unknownSubcommand(word: string | undefined, known: readonly string[]): Error {
  const list = known.join(', ')
  if (word === undefined) return usageError(`One of ${list} must come first; --help says what each does.`)
  const near = nearest(word, known)
  return usageError(
    `The first word must be one of ${list}, but is "${word}"${near === undefined ? '.' : `; did you mean ${near}?`}`,
  )
}

import { parseArgs } from 'node:util'
import { type Config, configOfThisProcess } from '../config/config.ts'
import { flagOf } from '../config/setting-kinds.ts'
import { SETTINGS } from '../config/settings.ts'

export interface CommandLine {
  readonly config: Config
  /** the arguments without a flag: files, or names of models */
  readonly words: readonly string[]
  readonly options: Readonly<Record<string, string | true | undefined>>
}

type Own = Readonly<Record<string, 'text' | 'switch'>>

/** The arguments of a command: the command's own flags, its words, and the flags of settings, read as a Config. */
export function commandLine(own: Own, usage: string): CommandLine {
  const { words, options, rest } = split(process.argv.slice(2), own)
  if (options.help === true) {
    process.stdout.write(usage)
    return process.exit(0)
  }
  // Without the command's own flags, which the settings would refuse as unknown.
  return { config: configOfThisProcess(rest), words, options }
}

/** Ends the process with status 2 and one sentence, as a wrong setting does. */
export function refuseCommandLine(message: string): never {
  process.stderr.write(`${message}\n`)
  return process.exit(2)
}

function split(args: readonly string[], own: Own) {
  const kinds: Own = { ...own, help: 'switch' }
  const settings = Object.values(SETTINGS).map(({ env }) => [flagOf(env), { type: 'string' as const }])
  const owned = Object.entries(kinds).map(([name, kind]) => [
    name,
    {
      type: kind === 'text' ? ('string' as const) : ('boolean' as const),
      ...(name === 'help' && { short: 'h' }),
    },
  ])
  const known = Object.fromEntries([...settings, ...owned])
  const { tokens } = parseArgs({ args: [...args], options: known, strict: false, tokens: true })
  const words: string[] = []
  const rest: string[] = []
  const options: Record<string, string | true | undefined> = {}
  for (const token of tokens) {
    if (token.kind === 'positional') words.push(token.value)
    if (token.kind !== 'option') continue
    const kind = Object.hasOwn(kinds, token.name) ? kinds[token.name] : undefined
    if (kind !== undefined) options[token.name] = ownValue(token, kind)
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

function ownValue({ rawName, value, inlineValue }: OptionToken, kind: 'text' | 'switch'): string | true {
  if (kind === 'switch') {
    if (value === undefined) return true
    return refuseCommandLine(`${rawName} takes no value, but has "${value}".`)
  }
  // Without this, "--model --json" would look for a model called "--json".
  if (value !== undefined && value !== '' && (inlineValue || !value.startsWith('-'))) return value
  return refuseCommandLine(`${rawName} must have a value, but has none.`)
}

import { parseArgs } from 'node:util'
import { helpText } from './help-text.ts'
import { readKeyFile } from './key-file.ts'
import { nearest } from './nearest-word.ts'
import { flagOf } from './setting-kinds.ts'
import { SETTINGS, type Setting } from './settings.ts'
import { VERSION } from './version.ts'

export type Config = {
  readonly [Name in keyof typeof SETTINGS]: (typeof SETTINGS)[Name] extends Setting<infer T> ? T : never
}

export class ConfigError extends Error {
  readonly code = 'ERR_CONFIG'
  override readonly name = 'ConfigError'
}

type Source = Readonly<Record<string, string | undefined>>

/** The settings as one deeply frozen object. Throws a ConfigError that names the first wrong setting. */
export function readConfig(argv: readonly string[], env: Source): Config {
  const flags = readFlags(argv)
  const config = configOf((setting) => readSetting(setting, flags, env))
  if (config.pipeline !== '' && !flags.has(flagOf('MODELS')) && !env.MODELS) {
    throw new ConfigError(
      'MODELS must name the models of your pipeline when PIPELINE is set, but MODELS is empty.',
    )
  }
  return config
}

/** The settings, each read by `read`, and checked against each other. */
export function configOf(read: (setting: Setting<unknown>, name: string) => unknown): Config {
  const settings: Readonly<Record<string, Setting<unknown>>> = SETTINGS
  const entries = Object.entries(settings).map(([name, setting]) => [name, read(setting, name)])
  // Each entry has the key and the value type of its setting; fromEntries loses these types.
  const values = Object.fromEntries(entries) as Config
  const config = { ...values, apiKeys: [...values.apiKeys, ...keysOfFile(values)] }
  mustBeServed(config)
  mustHaveRabbitMq(config)
  return deepFreeze(config)
}

/** The settings of this process. Answers --help and --version, and ends the process if a setting is wrong. */
export function configOfThisProcess(argv: readonly string[]): Config {
  try {
    if (argv.includes('--help') || argv.includes('-h'))
      return printAndExit(helpText(SETTINGS, process.stdout.columns))
    if (argv.includes('--version') || argv.includes('-v')) return printAndExit(`${VERSION}\n`)
    const config = readConfig(argv, process.env)
    // Child processes inherit the environment and may run the user's own code, which must not see the secrets.
    for (const { env, kind } of Object.values(SETTINGS)) if (kind.isSecret) delete process.env[env]
    return config
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    process.stderr.write(`${error.message}\n`)
    return process.exit(2)
  }
}

function readFlags(argv: readonly string[]): ReadonlyMap<string, string> {
  const known = Object.values(SETTINGS).map(({ env }) => flagOf(env))
  const options = Object.fromEntries(known.map((flag) => [flag, { type: 'string' as const }]))
  const { tokens } = parseArgs({ args: [...argv], options, strict: false, tokens: true })
  const flags = new Map<string, string>()
  for (const token of tokens) {
    if (token.kind === 'option-terminator') continue
    if (token.kind === 'positional')
      throw new ConfigError(
        `Arguments must be flags such as --port 8080, but "${token.value}" is not a flag.`,
      )
    if (!known.includes(token.name)) throw unknownFlag(token.rawName, known)
    // Without this, "--host --port 80" would listen on the host "--port".
    const lacksValue = token.value === undefined || (!token.inlineValue && token.value.startsWith('--'))
    if (lacksValue) throw new ConfigError(`--${token.name} must have a value, but has none.`)
    flags.set(token.name, token.value)
  }
  return flags
}

function unknownFlag(rawName: string, known: readonly string[]): ConfigError {
  const near = nearest(rawName.replace(/^-+/, ''), known)
  const hint = near === undefined ? '--help lists them all' : `did you mean --${near}?`
  return new ConfigError(`There is no flag ${rawName}; ${hint}`.replace(/([^?])$/, '$1.'))
}

function readSetting<T>(setting: Setting<T>, flags: ReadonlyMap<string, string>, env: Source): T {
  const flag = flagOf(setting.env)
  const given = flags.get(flag)
  const raw = given ?? (env[setting.env] || setting.fallback)
  const value = setting.kind.parse(raw)
  if (value !== undefined) return value
  const origin = given === undefined ? 'the environment' : `--${flag}`
  const shown = setting.kind.isSecret ? 'something else' : `"${raw}"`
  throw new ConfigError(`${setting.env} must be ${setting.kind.expected}, but ${origin} says ${shown}.`)
}

/** A dialect whose model is not served would answer every request with 404. */
function mustBeServed(config: Config): void {
  const served = config.models.map(({ name }) => name)
  const settings: Readonly<Record<string, Setting<unknown>>> = SETTINGS
  for (const [name, { env, kind }] of Object.entries(settings)) {
    const model = config[name as keyof Config]
    if (kind.isModel === undefined || model === '' || served.includes(String(model))) continue
    throw new ConfigError(
      `${env} must be one of the models that are served (${served.join(', ')}), but is "${model}".`,
    )
  }
}

function mustHaveRabbitMq({ role, amqpUrl }: Config): void {
  if (role === 'all' || amqpUrl.length > 0) return
  throw new ConfigError(`AMQP_URL must have the address of RabbitMQ when ROLE is ${role}, but is empty.`)
}

function keysOfFile({ apiKeysFile }: Config): readonly string[] {
  const keys = apiKeysFile === '' ? [] : readKeyFile(apiKeysFile)
  if (typeof keys === 'string') throw new ConfigError(`API_KEYS_FILE must ${keys}`)
  return keys
}

function printAndExit(output: string): never {
  process.stdout.write(output)
  return process.exit(0)
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  for (const part of Object.values(value)) deepFreeze(part)
  return Object.freeze(value)
}

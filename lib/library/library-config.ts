import { fileURLToPath } from 'node:url'
import { type Config, ConfigError, configOf } from '../config/config.ts'
import { nearest } from '../config/nearest-word.ts'
import { type Model, modelList } from '../config/setting-kinds.ts'
import { SETTINGS, type Setting } from '../config/settings.ts'
import type { ModelSettings } from './model-settings.ts'

/** A name of the catalog, `name=path`, or a name with the path of a file or folder of your own, and settings. */
export type WantedModel = string | ({ readonly name: string; readonly path?: string | URL } & ModelSettings)

/** Settings of the server, of its pages, and of the older services whose clients it serves. */
type OfServer =
  | 'host'
  | 'port'
  | 'maxConnections'
  | 'maxConnectionsPerIp'
  | 'maxOwedBytes'
  | 'allowedHostnames'
  | 'uploadMaxBytes'
  | 'uploadTtlMs'
  | 'inferThreshold'
  | 'inferMaxImages'
  | 'signingKeys'
  | `feedback${string}`
  | 'keepFeedbackImages'
  | `${string}Model`
  | `server${string}`

/** The settings of docs/settings.md that matter without a server, by their names in camel case. */
export type LibrarySetting = Exclude<keyof Config, 'models' | OfServer>

/** Each setting has its value, or the text that its environment variable would have, such as "64mb". */
export type LibrarySettings = {
  readonly [Name in LibrarySetting]?:
    | Config[Name]
    | (Name extends 'pipeline' ? URL : never)
    | Text<Config[Name]>
}

/** Words have a type of their own; a text for a number or for a list is checked when it is read. */
type Text<Value> = Value extends string ? never : string

const OF_SERVER =
  /^(host|port|maxConnections(PerIp)?|maxOwedBytes|allowedHostnames|upload\w+|infer\w+|signingKeys|feedback\w+|keepFeedbackImages|\w+Model|server\w+)$/

/** Settings whose default is made for a service of its own. */
const DEFAULTS: Readonly<Record<string, string>> = { logLevel: 'silent' }

/** The settings that the caller has given, and the defaults of all others. The environment is not read. */
export function libraryConfig(models: readonly WantedModel[], settings: LibrarySettings): Config {
  const given: Readonly<Record<string, unknown>> = { ...settings }
  for (const name of Object.keys(given)) mustBeSetting(name)
  return configOf((setting, name) => {
    if (name === 'models') return parsedModels(models)
    const value = given[name]
    if (value === undefined) return setting.kind.parse(DEFAULTS[name] ?? setting.fallback)
    return parsed(value, name, setting)
  })
}

function mustBeSetting(name: string): void {
  const names = Object.keys(SETTINGS).filter((known) => known !== 'models' && !OF_SERVER.test(known))
  if (names.includes(name)) return
  if (Object.hasOwn(SETTINGS, name))
    throw new ConfigError(`The setting "${name}" has no effect without a server.`)
  const near = nearest(name, names)
  throw new ConfigError(
    `There is no setting "${name}"${near === undefined ? '.' : `; did you mean "${near}"?`}`,
  )
}

function parsed(value: unknown, name: string, { kind }: Setting<unknown>): unknown {
  const text = Array.isArray(value) ? value.join() : String(value)
  const result = kind.parse(text)
  if (result !== undefined) return result
  const shown = kind.isSecret ? 'something else' : `"${text}"`
  throw new ConfigError(`${name} must be ${kind.expected}, but is ${shown}.`)
}

function parsedModels(wanted: readonly WantedModel[]): readonly Model[] {
  if (!Array.isArray(wanted) || wanted.length === 0)
    throw new ConfigError('models must have at least one model.')
  const models = wanted.map(parsedModel)
  const names = models.map(({ name }) => name).join()
  if (modelList().parse(names)?.length === models.length) return models
  throw new ConfigError(`models must be ${modelList().expected}, but is "${names}".`)
}

/** A path may have a comma, which separates models in the setting MODELS. */
function parsedModel(wanted: WantedModel): Model {
  if (typeof wanted === 'string') {
    const at = wanted.indexOf('=')
    return at < 0
      ? { name: wanted }
      : { name: wanted.slice(0, at), path: pathOf(wanted.slice(at + 1), wanted) }
  }
  if (typeof wanted !== 'object' || wanted === null || typeof wanted.name !== 'string') {
    throw new ConfigError('Each of models must be a text, or an object with a "name".')
  }
  const { name, path, ...settings } = wanted
  return {
    name,
    ...(path !== undefined && { path: pathOf(path, name) }),
    ...(Object.keys(settings).length > 0 && { settings: copyOf(settings, name) }),
  }
}

function pathOf(path: unknown, name: string): string {
  if (typeof path === 'string' && path !== '') return path
  if (path instanceof URL && path.protocol === 'file:') return fileURLToPath(path)
  throw new ConfigError(`The path of the model "${name}" must be a text or a file: URL.`)
}

/** The settings of a Config are frozen, and those of the caller are not. */
function copyOf(settings: object, name: string): Readonly<Record<string, unknown>> {
  try {
    return { ...structuredClone(settings) }
  } catch (cause) {
    throw new ConfigError(`The settings of the model "${name}" cannot be sent to its child process.`, {
      cause,
    })
  }
}

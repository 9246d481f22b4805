import { type Config, ConfigError, configOf } from '../config/config.ts'
import { nearest } from '../config/nearest-word.ts'
import { type Model, modelList } from '../config/setting-kinds.ts'
import { SETTINGS, type Setting } from '../config/settings.ts'

/** A name of the catalog, `name=path`, or a name and the path of a file or folder of your own. */
export type WantedModel = string | { readonly name: string; readonly path?: string }

/** Settings of other places: of the fleet, of commands that ask a server, and the models, which are an option of their own. */
type OtherSetting =
  | 'amqpUrl'
  | 'hostName'
  | 'hostPriority'
  | 'models'
  | 'queueType'
  | 'role'
  | 'serverKey'
  | 'serverUrl'
  | 'signingKeys'

/** Settings by their names in code, such as `maxBatch`: the value, or the text that the environment would have. */
export type LibrarySettings = {
  readonly [Name in Exclude<keyof Config, OtherSetting>]?: Config[Name] | string
}

/** Settings whose default is made for a service of its own. */
const DEFAULTS: Readonly<Record<string, string>> = { logLevel: 'silent' }

/** The settings that the caller has given, and the defaults of all others. The environment is not read. */
export function libraryConfig(models: readonly WantedModel[], settings: LibrarySettings): Config {
  const given: Readonly<Record<string, unknown>> = { ...settings }
  const names = Object.entries<Setting<unknown>>(SETTINGS).flatMap(([name, { group }]) =>
    group === 'fleet' || group === 'command' || name === 'models' ? [] : [name],
  )
  const unknown = Object.keys(given).find((name) => !names.includes(name))
  if (unknown !== undefined) {
    const near = nearest(unknown, names)
    throw new ConfigError(
      `There is no setting "${unknown}"${near === undefined ? '.' : `; did you mean "${near}"?`}`,
    )
  }
  return configOf((setting, name) => {
    if (name === 'models') return parsedModels(models, setting)
    const value = given[name]
    if (value === undefined) return setting.kind.parse(DEFAULTS[name] ?? setting.fallback)
    return parsed(value, name, setting)
  })
}

function parsed(value: unknown, name: string, { kind }: Setting<unknown>): unknown {
  const text = Array.isArray(value) ? value.join() : String(value)
  const result = kind.parse(text)
  if (result !== undefined) return result
  const shown = kind.isSecret ? 'something else' : `"${text}"`
  throw new ConfigError(`${name} must be ${kind.expected}, but is ${shown}.`)
}

/** A path may have a comma, which separates models in the setting MODELS. */
function parsedModels(wanted: readonly WantedModel[], { kind }: Setting<unknown>): readonly Model[] {
  const models = wanted.map((model) => {
    if (typeof model !== 'string') return model
    const at = model.indexOf('=')
    return at < 0 ? { name: model } : { name: model.slice(0, at), path: model.slice(at + 1) }
  })
  const list = modelList().parse(models.map(({ name }) => name).join())
  if (list?.length === models.length && models.length > 0 && models.every(({ path }) => path !== ''))
    return models
  const shown = models.map(({ name }) => name).join() || 'empty'
  throw new ConfigError(`models must be ${kind.expected}, but is ${shown}.`)
}

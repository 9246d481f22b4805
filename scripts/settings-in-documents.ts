import { flagOf } from '../lib/config/setting-kinds.ts'
import { GROUPS, SETTINGS, type Setting } from '../lib/config/settings.ts'

/** The documents that hold a table of settings between two markers. */
export const DOCUMENTS: readonly string[] = ['README.md', 'docs/settings.md']

/** `<!-- settings -->` marks a place for all settings in groups, `<!-- settings HOST PORT -->` for two of them. */
const MARKED = /(<!-- settings(?: ([A-Z_ ]+?))? -->\n)[\s\S]*?(<!-- \/settings -->)/

/** The document with its tables made from the current settings. */
export function withSettings(name: string, document: string): string {
  if (!MARKED.test(document))
    throw new Error(`${name} must have the markers <!-- settings --> and <!-- /settings -->, but has none.`)
  return document.replace(
    MARKED,
    (_, open: string, names: string | undefined, close: string) =>
      `${open}${names === undefined ? allTables() : table(names.split(' ').map(settingOf))}\n${close}`,
  )
}

function allTables(): string {
  const settings: readonly Setting<unknown>[] = Object.values(SETTINGS)
  return Object.entries(GROUPS)
    .map(
      ([group, title]) => `## ${title}\n\n${table(settings.filter((setting) => setting.group === group))}\n`,
    )
    .join('\n')
}

function settingOf(env: string): Setting<unknown> {
  const setting = Object.values(SETTINGS).find((setting) => setting.env === env)
  if (setting === undefined) throw new Error(`There is no setting ${env}.`)
  return setting
}

function table(settings: readonly Setting<unknown>[]): string {
  const rows = settings.map(
    ({ env, fallback, kind, help }) =>
      `| \`${env}\` | \`--${flagOf(env)}\` | ${code(fallback)} | ${kind.bounds} | ${help} |`,
  )
  return [
    '| variable | flag | default | values | what it sets |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n')
}

function code(fallback: string): string {
  return fallback === '' ? '–' : `\`${fallback}\``
}

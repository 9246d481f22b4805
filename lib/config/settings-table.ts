import { flagOf } from './setting-kinds.ts'
import type { Setting } from './settings.ts'

type Settings = Readonly<Record<string, Setting<unknown>>>

/** What --help prints. */
export function helpText(settings: Settings): string {
  const rows = Object.values(settings).map(({ env, fallback, kind, help }) => [
    `--${flagOf(env)}`,
    env,
    fallback || '-',
    kind.bounds,
    help,
  ])
  const lines = [['--help', '', '', '', 'this text'], ['--version', '', '', '', 'the version'], ...rows]
  const table = alignColumns([['flag', 'variable', 'default', 'bounds', 'what it sets'], ...lines])
  return `Serves image classification. A flag beats the environment, the environment beats the default.\n\n${table}\n`
}

/** The same table in Markdown, for the README. */
export function settingsTable(settings: Settings): string {
  const rows = Object.values(settings).map(
    ({ env, fallback, kind, help }) =>
      `| \`${env}\` | \`--${flagOf(env)}\` | ${code(fallback)} | ${kind.bounds} | ${help} |`,
  )
  return [
    '| variable | flag | default | bounds | what it sets |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n')
}

function code(fallback: string): string {
  return fallback === '' ? '–' : `\`${fallback}\``
}

function alignColumns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const line = (row: readonly string[]) =>
    row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')
  return rows.map((row) => `  ${line(row)}`.trimEnd()).join('\n')
}

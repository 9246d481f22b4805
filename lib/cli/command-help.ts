import type { Command, Option } from './command.ts'
import { COMMON_OPTIONS } from './command-line.ts'

/** The help of one command: fits a screen of 24 lines and 80 columns. */
export function commandHelp(command: Command): string {
  const { usage, about, options, subcommands = {}, takesSettings, examples } = command
  const all = { ...options, ...COMMON_OPTIONS }
  const rows = [
    ...Object.entries(subcommands),
    ...Object.entries(all).map(([name, option]) => [flag(name, option), option.help]),
    ...(takesSettings ? [['--…', 'every setting of the server, such as --weights-dir']] : []),
  ]
  const parts = [
    `tandem ${usage}`,
    about,
    table(rows),
    `Examples\n${examples.map((line) => `  ${line}`).join('\n')}`,
  ]
  return `${parts.join('\n\n')}\n`
}

export function table(rows: readonly (readonly string[])[]): string {
  const width = Math.max(...rows.map(([name = '']) => name.length))
  return rows.map(([name = '', text = '']) => `  ${name.padEnd(width)}  ${text}`).join('\n')
}

function flag(name: string, { value }: Option): string {
  return value === undefined ? `--${name}` : `--${name} ${value}`
}

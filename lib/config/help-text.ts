import { flagOf } from './setting-kinds.ts'
import { GROUPS, type Setting } from './settings.ts'

type Settings = Readonly<Record<string, Setting<unknown>>>

const DEFAULT_WIDTH = 80
/** A narrower column of text is harder to read than long lines that the terminal wraps. */
const MIN_WIDTH = 60
const INDENT = '  '

const INTRODUCTION =
  'Serves image classification over HTTP. Each setting is a flag or an environment variable: --max-queue 100 or ' +
  'MAX_QUEUE=100. A flag beats the variable, and the variable beats the default.'

const EXAMPLES = `Examples
  npm start -- --port 8080
  npm start -- --models digits,resnet50,pets=./pets.keras
  HOST=0.0.0.0 RATE_LIMIT=60 npm start
  npx tandem-serve serve --port 8080    (in the package)
`

/** What --help prints, folded to the width of the terminal. */
export function helpText(settings: Settings, columns = DEFAULT_WIDTH): string {
  const width = Math.max(MIN_WIDTH, columns)
  const all = Object.values(settings)
  const column = Math.max(...all.map(({ env }) => flagOf(env).length)) + '--'.length + 2 * INDENT.length
  const row = (flag: string, text: string) => {
    const lines = folded(text, width - column).map((line) => `${' '.repeat(column)}${line}`)
    return `${INDENT}--${flag}`.padEnd(column) + lines.join('\n').trimStart()
  }
  const groups = Object.entries(GROUPS).map(([group, title]) => {
    const rows = all.filter((setting) => setting.group === group)
    return [title, ...rows.map((setting) => row(flagOf(setting.env), described(setting)))].join('\n')
  })
  const general = [row('help', 'this text'), row('version', 'the version of this package')].join('\n')
  return `${[folded(INTRODUCTION, width).join('\n'), general, ...groups, EXAMPLES].join('\n\n')}`
}

function described({ help, fallback, kind }: Setting<unknown>): string {
  const values = fallback === '' ? kind.bounds : `${kind.bounds}; default ${fallback}`
  return `${help} (${values})`.replaceAll('`', '')
}

function folded(text: string, width: number): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= width)
      lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}

export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/
const LABEL = /(\w+)="((?:[^"\\]|\\.)*)"/g

/** The samples of Prometheus' text format. Lines that are none are left out. */
export function readMetrics(text: string): Sample[] {
  return text.split('\n').flatMap((line) => {
    const [, name, labels = '', number] = LINE.exec(line) ?? []
    if (name === undefined || number === undefined) return []
    return [{ name, labels: readLabels(labels), value: readNumber(number) }]
  })
}

function readLabels(text: string): Record<string, string> {
  return Object.fromEntries(
    [...text.matchAll(LABEL)].map(([, name = '', value = '']) => [name, value.replace(/\\(.)/g, unescaped)]),
  )
}

function unescaped(_: string, character: string): string {
  return character === 'n' ? '\n' : character
}

function readNumber(text: string): number {
  return text === '+Inf' ? Infinity : Number(text)
}

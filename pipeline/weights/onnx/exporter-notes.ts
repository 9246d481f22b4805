import { type Label, MAX_LABELS, MAX_LENGTH, plainLabel } from '../../models/labels.ts'
import type { ModelSettings } from '../../models/model-settings.ts'

/** The keys under which exporters note the labels, in small letters. */
const LABEL_KEYS = ['names', 'labels', 'classes', 'class_names', 'class_labels', 'id2label']

/** The settings that an exporter noted in the metadata of an ONNX file. What cannot be read is ignored. */
export function exporterNotes(metadata: ReadonlyMap<string, string>): ModelSettings {
  const noted = new Map([...metadata].map(([key, value]) => [key.toLowerCase(), value]))
  const texts = LABEL_KEYS.map((key) => labelsIn(noted.get(key))).find((found) => found !== undefined)
  const size = sizeIn(noted.get('imgsz'))
  return {
    ...(texts && { labels: texts, labelsFile: 'the metadata of the file' }),
    ...(size && { size }),
    ...(noted.get('author') === 'Ultralytics' && noted.get('task') === 'classify' && ULTRALYTICS),
  }
}

/** Its classifiers are trained and evaluated on the middle of the picture, from 0 to 1. */
const ULTRALYTICS: ModelSettings = { preprocessing: 'unit', crop: true, interpolation: 'bilinear' }

/** A list or a table by index, in JSON or as Python prints it; or words divided by line breaks or commas. */
function labelsIn(text: string | undefined): Label[] | undefined {
  if (text === undefined) return undefined
  const words = wordsIn(text.trim())?.map((word) => word.trim())
  const areLabels = words?.every((word) => word !== '' && word.length <= MAX_LENGTH)
  return words?.length && words.length <= MAX_LABELS && areLabels ? words.map(plainLabel) : undefined
}

function wordsIn(text: string): string[] | undefined {
  if (text.startsWith('[')) return listed(json(text)) ?? pythonList(text)
  if (text.startsWith('{')) return inOrder(entriesOf(json(text)) ?? pythonEntries(text) ?? [])
  return text.split(text.includes('\n') ? /\r?\n/ : ',')
}

function listed(value: unknown): string[] | undefined {
  return Array.isArray(value) && value.every((word) => typeof word === 'string') ? value : undefined
}

function entriesOf(value: unknown): [string, string][] | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const entries = Object.entries(value)
  return entries.every(([, word]) => typeof word === 'string') ? entries : undefined
}

/** The words by their index; undefined if an index is missing. */
function inOrder(entries: readonly (readonly [string, string])[]): string[] | undefined {
  const byIndex = new Map(entries)
  const words = entries.map((_, index) => byIndex.get(String(index)))
  return words.every((word) => word !== undefined) ? words : undefined
}

// The expressions are sticky: a text of a megabyte is read once, and not again from each quote.
const PYTHON_TEXT = /\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")\s*(?:,|(?=[\]}]))/sy
const PYTHON_INDEX = /\s*(\d{1,9})\s*:/y
const PYTHON_END = /\s*[\]}]$/y

/** `['cat', "dog's"]`, as Python prints a list. */
function pythonList(text: string): string[] | undefined {
  const words: string[] = []
  let at = 1
  for (let word = matched(PYTHON_TEXT, text, at); word; word = matched(PYTHON_TEXT, text, at)) {
    words.push(unescaped(word.slice(1)))
    at += word[0].length
  }
  return matched(PYTHON_END, text, at) ? words : undefined
}

/** `{0: 'cat', 1: "dog's"}`, as Python prints a dictionary; undefined if the text is something else. */
function pythonEntries(text: string): [string, string][] | undefined {
  const entries: [string, string][] = []
  let at = 1
  for (let index = matched(PYTHON_INDEX, text, at); index; index = matched(PYTHON_INDEX, text, at)) {
    at += index[0].length
    const word = matched(PYTHON_TEXT, text, at)
    if (!word) return undefined
    entries.push([index[1] ?? '', unescaped(word.slice(1))])
    at += word[0].length
  }
  return matched(PYTHON_END, text, at) ? entries : undefined
}

function matched(expression: RegExp, text: string, at: number): RegExpExecArray | null {
  expression.lastIndex = at
  return expression.exec(text)
}

function unescaped(quoted: readonly (string | undefined)[]): string {
  return (quoted.find((text) => text !== undefined) ?? '').replace(/\\(.)/gs, '$1')
}

/** `[224, 224]` or `224`. */
function sizeIn(text: string | undefined): readonly [number, number] | undefined {
  const value = json(text ?? '')
  const [height, width] = Array.isArray(value) ? value : [value, value]
  const areSizes = [height, width].every((side) => Number.isInteger(side) && side > 0 && side <= 4096)
  return areSizes ? [height, width] : undefined
}

function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

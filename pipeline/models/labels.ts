import { open } from 'node:fs/promises'
import { basename } from 'node:path'
import { PipelineError } from '../errors.ts'
import { packagedFile } from './packaged-file.ts'

/** One class of a model. Never use a name as a key: names are not unique (ImageNet has two cranes). */
export interface Label {
  readonly wnid?: string
  /** Keras' name: the first synonym, with underscores */
  readonly name: string
  /** the first synonym, with spaces */
  readonly first: string
  /** all synonyms */
  readonly full: string
}

type LabelsFormat = 'lines' | 'tsv' | 'json'

export const IMAGENET_LABELS = packagedFile('weights/imagenet-labels.tsv')

// All 21,841 classes of the large ImageNet take 1.2 MB with their synonyms.
const MAX_BYTES = 8 * 2 ** 20
export const MAX_LABELS = 100_000
// ImageNet's longest label has 121 characters. Every answer shows labels, so they must be short.
export const MAX_LENGTH = 500

const WNID = /^n\d{8}$/
// A line of Caffe's synset_words.txt.
const SYNSET_LINE = /^(n\d{8}) (.+)$/

/** The labels of a model in the order of its outputs. The format is detected from the content. */
export async function readLabels(file: string | URL): Promise<Label[]> {
  const name = `The labels file ${basename(String(file))}`
  const text = await readText(file, name)
  return fewAndShort(parse(text, formatOf(text), name), name)
}

/** The labels in a list: texts, or pairs of a WordNet id and a text. */
export function labelList(list: readonly unknown[]): Label[] {
  const name = 'The list of labels'
  const labels = list.slice(0, MAX_LABELS + 1).map((entry, at) => fromEntry(entry, at, name))
  return fewAndShort(labels, name)
}

function fewAndShort(labels: Label[], name: string): Label[] {
  if (labels.length === 0) throw wrong(name, 'holds no labels')
  if (labels.length > MAX_LABELS)
    throw wrong(name, `holds ${labels.length} labels, the limit is ${MAX_LABELS}`)
  const long = labels.findIndex(({ full }) => full.length > MAX_LENGTH)
  if (long >= 0) throw wrong(name, `has a label of more than ${MAX_LENGTH} characters at index ${long}`)
  return labels
}

async function readText(file: string | URL, name: string): Promise<string> {
  const handle = await open(file, 'r').catch((cause: NodeJS.ErrnoException) => {
    throw wrong(name, `cannot be read (${cause.code})`, cause)
  })
  try {
    const stats = await handle.stat()
    if (!stats.isFile()) throw wrong(name, 'is no file')
    if (stats.size > MAX_BYTES) throw wrong(name, `has ${stats.size} bytes, the limit is ${MAX_BYTES}`)
    const bytes = await handle.readFile()
    // The decoder removes a byte order mark; "fatal" makes it throw on bytes that are not text, such as an image.
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    if (cause instanceof PipelineError) throw cause
    throw wrong(name, 'is no text in UTF-8', cause)
  } finally {
    await handle.close()
  }
}

function formatOf(text: string): LabelsFormat {
  if (/^\s*[[{]/.test(text)) return 'json'
  return /^\d+\t/m.test(text.slice(0, 4096)) ? 'tsv' : 'lines'
}

function parse(text: string, format: LabelsFormat, name: string): Label[] {
  if (format === 'json') return fromJson(text, name)
  if (text.trim() === '') return []
  const lines = text.trimEnd().split(/\r?\n/)
  return format === 'tsv' ? fromTable(lines, name) : lines.map((line, at) => fromLine(line.trim(), at, name))
}

/** Columns: index, WordNet id, synonyms; or index and label. Lines that begin with # are comments. */
function fromTable(lines: readonly string[], name: string): Label[] {
  const rows = lines.filter((line) => !line.startsWith('#'))
  return rows.map((row, at) => {
    const cells = row.split('\t').map((cell) => cell.trim())
    const [index, second = '', third] = cells
    if (index !== String(at))
      throw wrong(name, `has the index "${clip(index ?? '')}" where ${at} should come`)
    if (third === undefined) return whole(second, at, name)
    return synonyms(third, WNID.test(second) ? second : undefined, at, name)
  })
}

function fromLine(line: string, at: number, name: string): Label {
  const [, wnid, words] = SYNSET_LINE.exec(line) ?? []
  return words === undefined ? whole(line, at, name) : synonyms(words, wnid, at, name)
}

/**
 * A list of labels; `{"0": "cat"}`; `{"0": ["n02123045", "tabby"]}`, Keras' form for ImageNet; or `{"cat": 0}`, the
 * class_indices of a Keras generator.
 */
function fromJson(text: string, name: string): Label[] {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw wrong(name, 'is no valid JSON', cause)
  }
  if (Array.isArray(json)) return json.map((entry, at) => fromEntry(entry, at, name))
  if (typeof json !== 'object' || json === null) throw wrong(name, 'is neither a list nor an object')
  const entries = Object.entries(json)
  const areIndices = entries.length > 0 && entries.every(([, value]) => Number.isInteger(value))
  const byIndex = new Map<string, unknown>(
    areIndices ? entries.map(([key, value]) => [String(value), key]) : entries,
  )
  return entries.map((_, at) => {
    if (!byIndex.has(String(at))) throw wrong(name, `has ${entries.length} labels, but none for index ${at}`)
    return fromEntry(byIndex.get(String(at)), at, name)
  })
}

function fromEntry(entry: unknown, at: number, name: string): Label {
  if (typeof entry === 'string') return whole(entry.trim(), at, name)
  if (Array.isArray(entry) && entry.length === 2) {
    const [wnid, words]: unknown[] = entry
    if (typeof wnid === 'string' && typeof words === 'string') {
      const label = whole(words.trim().replaceAll('_', ' '), at, name)
      return WNID.test(wnid) ? { wnid, ...label } : label
    }
  }
  throw wrong(name, `has something at index ${at} that is neither a label nor a pair of id and label`)
}

function synonyms(full: string, wnid: string | undefined, at: number, file: string): Label {
  const first = full.split(', ', 1)[0] ?? full
  return { ...(wnid === undefined ? {} : { wnid }), ...whole(first, at, file), full }
}

/** A label without synonyms: a comma is part of the label. */
export function plainLabel(first: string): Label {
  return { name: first.replaceAll(' ', '_'), first, full: first }
}

function whole(first: string, at: number, file: string): Label {
  // Skipping an empty line would move every later label to another output.
  if (first === '') throw wrong(file, `has an empty label at index ${at}`)
  return plainLabel(first)
}

function clip(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}…` : text
}

function wrong(where: string, what: string, cause?: unknown): PipelineError {
  return new PipelineError('ERR_MODEL_SETTINGS', `${where} ${what}.`, { cause })
}

import { closeSync } from 'node:fs'
import { basename } from 'node:path'
import { openWindow } from '../source/file-window.ts'
import { unsupported } from '../source/model-file-error.ts'
import { BlockReader, numbersIn, textIn, type WireField, wireFields } from '../source/wire-fields.ts'

/** An ONNX model without its weights. */
export interface OnnxOutline {
  readonly nodes: readonly OnnxNode[]
  /** The sizes of each array of weights, by name. */
  readonly arrays: ReadonlyMap<string, readonly number[]>
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  /** What the exporter noted, such as the labels. */
  readonly metadata: ReadonlyMap<string, string>
}

export interface OnnxNode {
  readonly op: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  /** Attributes that are whole numbers, or lists of them. */
  readonly integers: ReadonlyMap<string, readonly number[]>
}

// Field numbers as ONNX publishes them.
const MODEL = { graph: 7, metadata: 14 }
const GRAPH = { node: 1, initializer: 5, input: 11, output: 12 }
const NODE = { input: 1, output: 2, op: 4, attribute: 5 }
const ATTRIBUTE = { name: 1, integer: 3, integers: 8 }
const TENSOR = { dims: 1, name: 8 }
const ENTRY = { key: 1, value: 2 }
const VALUE_NAME = 1

/** Of nodes, and of arrays. A ResNet of a thousand layers has about ten thousand of each. */
const MAX_PARTS = 200_000
/** Shapes, axes and the like are short; a longer list is data. */
const MAX_INTEGERS = 1000
/** Of inputs, outputs, attributes and operators: a ResNet of a thousand layers has about 80,000. An empty name has two bytes. */
const MAX_NAMES = 500_000
/** Of all entries together. A thousand labels with their synonyms take 30 kB. */
const MAX_METADATA_BYTES = 2 ** 20
const MAX_NAME_BYTES = 4096

/** Reads the graph of an ONNX file. Skips the weights, which may be gigabytes. */
export function onnxOutline(path: string): OnnxOutline {
  const window = openWindow(path, basename(path))
  try {
    return outlineOf({ reader: new BlockReader(window), names: 0 })
  } finally {
    closeSync(window.fd)
  }
}

/** A file, and how many names have been read from it. */
interface Source {
  readonly reader: BlockReader
  names: number
}

function outlineOf(source: Source): OnnxOutline {
  const { reader } = source
  const nodes: OnnxNode[] = []
  const arrays = new Map<string, readonly number[]>()
  const [inputs, outputs]: [string[], string[]] = [[], []]
  const metadata = new Map<string, string>()
  let metadataBytes = 0
  for (const field of wireFields(reader, 0, reader.size)) {
    if (field.number === MODEL.metadata) {
      metadataBytes += field.end - field.start
      if (metadataBytes <= MAX_METADATA_BYTES) metadata.set(...entryOf(reader, field))
    }
    if (field.number !== MODEL.graph) continue
    for (const part of wireFields(reader, field.start, field.end)) {
      if (part.number === GRAPH.node) nodes.push(nodeOf(source, part))
      if (part.number === GRAPH.initializer) arrays.set(...arrayOf(source, part))
      if (part.number === GRAPH.input) inputs.push(valueName(source, part))
      if (part.number === GRAPH.output) outputs.push(valueName(source, part))
      if (nodes.length > MAX_PARTS || arrays.size > MAX_PARTS)
        throw unsupported(`${reader.name} has more than ${MAX_PARTS} nodes or arrays, which is the limit.`)
    }
  }
  // Older exporters list the weights among the inputs.
  return { nodes, arrays, inputs: inputs.filter((input) => !arrays.has(input)), outputs, metadata }
}

function nodeOf(source: Source, { start, end }: WireField): OnnxNode {
  const [inputs, outputs]: [string[], string[]] = [[], []]
  const integers = new Map<string, readonly number[]>()
  let op = ''
  for (const field of wireFields(source.reader, start, end)) {
    if (field.number === NODE.input) inputs.push(name(source, field))
    if (field.number === NODE.output) outputs.push(name(source, field))
    if (field.number === NODE.op) op = name(source, field)
    if (field.number === NODE.attribute) integers.set(...attributeOf(source, field))
  }
  return { op, inputs, outputs, integers }
}

function attributeOf(source: Source, { start, end }: WireField): [string, number[]] {
  const numbers: number[] = []
  let key = ''
  for (const field of wireFields(source.reader, start, end)) {
    if (field.number === ATTRIBUTE.name) key = name(source, field)
    const isNumber = field.number === ATTRIBUTE.integer || field.number === ATTRIBUTE.integers
    if (isNumber && numbers.length < MAX_INTEGERS)
      numbers.push(...numbersIn(source.reader, field, MAX_INTEGERS))
  }
  return [key, numbers]
}

function arrayOf(source: Source, { start, end }: WireField): [string, number[]] {
  const dims: number[] = []
  let key = ''
  for (const field of wireFields(source.reader, start, end)) {
    const isSize = field.number === TENSOR.dims && dims.length < MAX_INTEGERS
    if (isSize) dims.push(...numbersIn(source.reader, field, MAX_INTEGERS))
    if (field.number === TENSOR.name) key = name(source, field)
  }
  return [key, dims]
}

function valueName(source: Source, { start, end }: WireField): string {
  for (const field of wireFields(source.reader, start, end))
    if (field.number === VALUE_NAME) return name(source, field)
  return ''
}

function entryOf(reader: BlockReader, { start, end }: WireField): [key: string, value: string] {
  let [key, value] = ['', '']
  for (const field of wireFields(reader, start, end)) {
    if (field.number === ENTRY.key) key = textIn(reader, field)
    if (field.number === ENTRY.value) value = textIn(reader, field)
  }
  return [key, value]
}

function name(source: Source, field: WireField): string {
  const { reader } = source
  if (++source.names > MAX_NAMES)
    throw unsupported(`${reader.name} has more than ${MAX_NAMES} names, which is the limit.`)
  if (field.end - field.start > MAX_NAME_BYTES)
    throw unsupported(`${reader.name} has a name of more than ${MAX_NAME_BYTES} bytes, which is the limit.`)
  return textIn(reader, field)
}

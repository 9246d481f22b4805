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
/** A thousand labels with their synonyms take 30 kB. */
const MAX_METADATA_BYTES = 2 ** 20
const MAX_NAME_BYTES = 4096

/** Reads the graph of an ONNX file. Skips the weights, which may be gigabytes. */
export function onnxOutline(path: string): OnnxOutline {
  const window = openWindow(path, basename(path))
  try {
    return outlineOf(new BlockReader(window))
  } finally {
    closeSync(window.fd)
  }
}

function outlineOf(reader: BlockReader): OnnxOutline {
  const nodes: OnnxNode[] = []
  const arrays = new Map<string, readonly number[]>()
  const [inputs, outputs]: [string[], string[]] = [[], []]
  const metadata = new Map<string, string>()
  for (const field of wireFields(reader, 0, reader.size)) {
    if (field.number === MODEL.metadata && field.end - field.start <= MAX_METADATA_BYTES) {
      const [key = '', value = ''] = texts(reader, field, ENTRY.key, ENTRY.value)
      metadata.set(key, value)
    }
    if (field.number !== MODEL.graph) continue
    for (const part of wireFields(reader, field.start, field.end)) {
      if (part.number === GRAPH.node) nodes.push(nodeOf(reader, part))
      if (part.number === GRAPH.initializer) arrays.set(...arrayOf(reader, part))
      if (part.number === GRAPH.input) inputs.push(texts(reader, part, VALUE_NAME)[0] ?? '')
      if (part.number === GRAPH.output) outputs.push(texts(reader, part, VALUE_NAME)[0] ?? '')
      if (nodes.length > MAX_PARTS || arrays.size > MAX_PARTS)
        throw unsupported(`${reader.name} has more than ${MAX_PARTS} nodes or arrays, which is the limit.`)
    }
  }
  // Older exporters list the weights among the inputs.
  return { nodes, arrays, inputs: inputs.filter((input) => !arrays.has(input)), outputs, metadata }
}

function nodeOf(reader: BlockReader, { start, end }: WireField): OnnxNode {
  const [inputs, outputs]: [string[], string[]] = [[], []]
  const integers = new Map<string, readonly number[]>()
  let op = ''
  for (const field of wireFields(reader, start, end)) {
    if (field.number === NODE.input) inputs.push(name(reader, field))
    if (field.number === NODE.output) outputs.push(name(reader, field))
    if (field.number === NODE.op) op = name(reader, field)
    if (field.number === NODE.attribute) integers.set(...attributeOf(reader, field))
  }
  return { op, inputs, outputs, integers }
}

function attributeOf(reader: BlockReader, { start, end }: WireField): [string, number[]] {
  const numbers: number[] = []
  let key = ''
  for (const field of wireFields(reader, start, end)) {
    if (field.number === ATTRIBUTE.name) key = name(reader, field)
    const isNumber = field.number === ATTRIBUTE.integer || field.number === ATTRIBUTE.integers
    if (isNumber && numbers.length < MAX_INTEGERS) numbers.push(...numbersIn(reader, field, MAX_INTEGERS))
  }
  return [key, numbers]
}

function arrayOf(reader: BlockReader, { start, end }: WireField): [string, number[]] {
  const dims: number[] = []
  let key = ''
  for (const field of wireFields(reader, start, end)) {
    const isSize = field.number === TENSOR.dims && dims.length < MAX_INTEGERS
    if (isSize) dims.push(...numbersIn(reader, field, MAX_INTEGERS))
    if (field.number === TENSOR.name) key = name(reader, field)
  }
  return [key, dims]
}

/** The texts of the given fields of an inner message. */
function texts(reader: BlockReader, { start, end }: WireField, ...numbers: readonly number[]): string[] {
  const found: string[] = []
  for (const field of wireFields(reader, start, end)) {
    const at = numbers.indexOf(field.number)
    if (at >= 0 && field.kind === 2) found[at] = textIn(reader, field)
  }
  return found
}

function name(reader: BlockReader, field: WireField): string {
  if (field.end - field.start > MAX_NAME_BYTES)
    throw unsupported(`${reader.name} has a name of more than ${MAX_NAME_BYTES} bytes, which is the limit.`)
  return textIn(reader, field)
}

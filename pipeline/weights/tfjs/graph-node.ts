import { loadError, quote, unsupported } from '../source/model-file-error.ts'
import { field } from '../source/parse-json.ts'

/** One node of a TensorFlow graph in JSON. Its attributes come from an untrusted file and are checked when read. */
export interface GraphNode {
  readonly name: string
  readonly op: string
  /** The names of the nodes whose first outputs are the inputs. */
  readonly inputs: readonly string[]
  readonly attributes: unknown
}

/** nsfwjs' Inception v3 has about a thousand. */
const MAX_NODES = 20_000
/** A concatenation in a DenseNet takes a few dozen. */
const MAX_INPUTS = 10_000
const MAX_NAME_CHARACTERS = 500

export function graphNodes(topology: unknown, what: string): Map<string, GraphNode> {
  const list = field(topology, 'node')
  if (!Array.isArray(list)) throw loadError(`${what} has no list of nodes.`)
  if (list.length > MAX_NODES) throw loadError(`${what} has ${list.length} nodes, the limit is ${MAX_NODES}.`)
  const nodes = new Map<string, GraphNode>()
  for (const entry of list as unknown[]) {
    const [name, op, inputs = []] = [field(entry, 'name'), field(entry, 'op'), field(entry, 'input')]
    if (typeof name !== 'string' || typeof op !== 'string' || name.length > MAX_NAME_CHARACTERS)
      throw loadError(`${what} has a node without a name or an operation.`)
    if (nodes.has(name)) throw loadError(`${what} has two nodes named ${quote(name)}.`)
    const named = Array.isArray(inputs) && inputs.every((input) => typeof input === 'string')
    if (!named) throw loadError(`In ${what}, the node ${quote(name)} has inputs without names.`)
    if (named && inputs.length > MAX_INPUTS)
      throw loadError(
        `In ${what}, the node ${quote(name)} has ${inputs.length} inputs, the limit is ${MAX_INPUTS}.`,
      )
    // A name that begins with ^ only says what runs first.
    const used = (inputs as string[]).filter((input) => !input.startsWith('^'))
    nodes.set(name, {
      name,
      op,
      inputs: used.map((input) => nodeName(input, name)),
      attributes: field(entry, 'attr'),
    })
  }
  return nodes
}

/** `conv` and `conv:0` are the first output of the node `conv`. */
export function nodeName(reference: string, user: string): string {
  const [, name = reference, output = '0'] = /^(.*?)(?::(\d+))?$/s.exec(reference) ?? []
  if (output === '0') return name
  throw unsupported(
    `The node ${quote(user)} takes output ${output} of ${quote(name)}; only output 0 can be served.`,
  )
}

export function flagOf(node: GraphNode, key: string): boolean {
  return attribute(node, key, 'b') === true
}

export function numberOf(node: GraphNode, key: string, otherwise: number): number {
  const value = attribute(node, key, 'f') ?? attribute(node, key, 'i') ?? otherwise
  const number = Number(value)
  if (Number.isFinite(number)) return number
  throw badAttribute(node, key)
}

export function textOf(node: GraphNode, key: string): string | undefined {
  const value = attribute(node, key, 's')
  return value === undefined ? undefined : decoded(value, node, key)
}

export function textsOf(node: GraphNode, key: string): string[] {
  const list = field(attribute(node, key, 'list'), 's') ?? []
  if (!Array.isArray(list)) throw badAttribute(node, key)
  return list.map((value) => decoded(value, node, key))
}

export function numbersOf(node: GraphNode, key: string): number[] {
  const list = field(attribute(node, key, 'list'), 'i') ?? []
  const numbers = Array.isArray(list) ? list.map(Number) : [Number.NaN]
  if (numbers.every((number) => Number.isSafeInteger(number))) return numbers
  throw badAttribute(node, key)
}

/** The name or the number of a type. */
export function typeOf(node: GraphNode, key: string): unknown {
  return attribute(node, key, 'type')
}

/** The sizes of a shape; -1 where a size is not fixed. Undefined if there is no shape. */
export function sizesIn(shape: unknown): number[] | undefined {
  const dims = field(shape, 'dim')
  if (!Array.isArray(dims)) return undefined
  return dims.map((dim) => Number(field(dim, 'size') ?? -1))
}

export function shapeOf(node: GraphNode): number[] | undefined {
  return sizesIn(attribute(node, 'shape', 'shape'))
}

function attribute({ attributes }: GraphNode, key: string, kind: string): unknown {
  return field(field(attributes, key), kind)
}

/** Texts are in base64, or a list of bytes. */
function decoded(value: unknown, node: GraphNode, key: string): string {
  if (typeof value === 'string') return Buffer.from(value, 'base64').toString('latin1')
  if (Array.isArray(value)) return Buffer.from(value as number[]).toString('latin1')
  throw badAttribute(node, key)
}

function badAttribute({ name, op }: GraphNode, key: string) {
  return loadError(`The node ${quote(name)} (${op}) has a wrong attribute ${quote(key)}.`)
}

import { loadError, quote } from '../source/model-file-error.ts'
import { field, isObject, type JsonObject } from '../source/parse-json.ts'

/** An output of a layer: of one call of the layer, and one tensor of what the call returns. */
export interface Reference {
  readonly layer: string
  readonly call: number
  readonly tensor: number
}

/** An argument of a call: an output of another layer, several arguments in a list, or a value from the file. */
export type Argument =
  | { readonly kind: 'tensor'; readonly reference: Reference }
  | { readonly kind: 'list'; readonly items: readonly Argument[] }
  | { readonly kind: 'value'; readonly value: unknown }

/** One call of a layer, as Keras records it. */
export interface KerasCall {
  readonly args: readonly Argument[]
  readonly kwargs: ReadonlyMap<string, Argument>
}

const MAX_CALLS = 1_000
const MAX_DEPTH = 8

/** The calls of a layer in its model, in Keras' order. */
export function inboundCalls(layer: string, nodes: unknown): KerasCall[] {
  if (nodes === undefined) return []
  if (!Array.isArray(nodes)) throw malformed(layer)
  if (nodes.length > MAX_CALLS)
    throw loadError(`Layer ${quote(layer)} is called ${nodes.length} times, the limit is ${MAX_CALLS}.`)
  return nodes.map((node: unknown) => (isObject(node) ? newForm(layer, node) : oldForm(layer, node)))
}

/** Keras' order of the parameters that may be given by name. */
const PARAMETERS = ['inputs', 'query', 'value', 'key']

/** Every output that a call takes. */
export function referencesIn({ args, kwargs }: KerasCall): Reference[] {
  const place = ([name]: readonly [string, Argument]) => PARAMETERS.indexOf(name)
  const named = [...kwargs].sort((a, b) => place(a) - place(b)).map(([, argument]) => argument)
  return [...args, ...named].flatMap(referencesOf)
}

function referencesOf(argument: Argument): readonly Reference[] {
  if (argument.kind === 'tensor') return [argument.reference]
  return argument.kind === 'list' ? argument.items.flatMap(referencesOf) : []
}

/** [[name, node, tensor, { training: false }], …]; the layer of a TensorFlow function has one bracket less. */
function oldForm(layer: string, node: unknown): KerasCall {
  if (!Array.isArray(node)) throw malformed(layer)
  const entries: unknown[] = typeof node[0] === 'string' ? [node] : node
  const kwargs = new Map<string, Argument>()
  const args = entries.map((entry: unknown): Argument => {
    if (!Array.isArray(entry)) throw malformed(layer)
    for (const [key, value] of Object.entries(objectOr(layer, entry[3])))
      kwargs.set(key, oldArgument(layer, value, 0))
    // A first argument that is no tensor.
    if (entry[0] === '_CONSTANT_VALUE') return { kind: 'value', value: entry[2] }
    return { kind: 'tensor', reference: reference(layer, entry) }
  })
  return { args: entries === node && args.length > 1 ? [{ kind: 'list', items: args }] : args, kwargs }
}

/** A tensor among named arguments is [name, node, tensor]. */
function oldArgument(layer: string, value: unknown, depth: number): Argument {
  if (!Array.isArray(value) || depth > MAX_DEPTH) return { kind: 'value', value }
  if (isReference(value)) return { kind: 'tensor', reference: reference(layer, value) }
  const items = value.map((item: unknown) => oldArgument(layer, item, depth + 1))
  return items.some(hasTensor) ? { kind: 'list', items } : { kind: 'value', value }
}

function isReference(value: readonly unknown[]): boolean {
  const [name, call, tensor] = value
  if (typeof name !== 'string' || !Number.isInteger(call) || !Number.isInteger(tensor)) return false
  return value.length === 3 || (value.length === 4 && isObject(value[3]))
}

/** { args: [tensor] or [[tensor, tensor]], kwargs: {} } */
function newForm(layer: string, node: object): KerasCall {
  const args = field(node, 'args')
  if (!Array.isArray(args)) throw malformed(layer)
  const kwargs = Object.entries(objectOr(layer, field(node, 'kwargs')))
  return {
    args: args.map((arg: unknown) => newArgument(layer, arg, 0)),
    kwargs: new Map(kwargs.map(([key, value]) => [key, newArgument(layer, value, 0)])),
  }
}

function newArgument(layer: string, value: unknown, depth: number): Argument {
  if (Array.isArray(value) && depth <= MAX_DEPTH) {
    const items = value.map((item: unknown) => newArgument(layer, item, depth + 1))
    return items.some(hasTensor) ? { kind: 'list', items } : { kind: 'value', value }
  }
  if (field(value, 'class_name') !== '__keras_tensor__') return { kind: 'value', value }
  const history = field(field(value, 'config'), 'keras_history')
  if (!Array.isArray(history)) throw malformed(layer)
  return { kind: 'tensor', reference: reference(layer, history) }
}

const hasTensor = (argument: Argument): boolean => referencesOf(argument).length > 0

/** [name, node, tensor]. */
export function reference(layer: string, [name, call, tensor]: readonly unknown[]): Reference {
  if (typeof name !== 'string' || !isIndex(call) || !isIndex(tensor)) throw malformed(layer)
  return { layer: name, call, tensor }
}

const isIndex = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0

function objectOr(layer: string, value: unknown): JsonObject {
  if (value === undefined || value === null) return {}
  if (isObject(value)) return value
  throw malformed(layer)
}

function malformed(layer: string) {
  return loadError(`The inbound_nodes of layer ${quote(layer)} are not in a form that Keras writes.`)
}

import type { Call } from '../../graph/kind.ts'
import { OPERATION_KINDS } from '../../graph/kinds.ts'
import { CONSTANT, type Layer, operationClass } from '../../models/networks/layer-list.ts'
import { loadError, quote, unsupported } from '../source/model-file-error.ts'
import { field, isObject, type JsonObject } from '../source/parse-json.ts'
import type { Argument, Reference } from './keras-inbound.ts'
import type { KerasUse } from './keras-model.ts'
import { TENSORFLOW_FUNCTIONS, type TensorFlowFunction } from './tensorflow-functions.ts'

const OPERATION_MODULES = /^keras(\.src)?\.ops\b/

/** Whether an item of a model is an operation of Keras 3, or a function of TensorFlow in a model of Keras 2. */
export function isOperation({ className, module }: KerasUse): boolean {
  return (typeof module === 'string' && OPERATION_MODULES.test(module)) || FUNCTION_LAYERS.has(className)
}

const FUNCTION_LAYERS: ReadonlySet<string> = new Set(['TFOpLambda', 'SlicingOpLambda'])

/** The layers that stand for one call of an operation: first its constants, then one for each of its outputs. */
export function operationLayers(
  use: KerasUse,
  config: JsonObject,
  name: string,
  find: (reference: Reference) => string,
): { layers: Layer[]; outputs: string[] } {
  const { op, named } = FUNCTION_LAYERS.has(use.className)
    ? ofTensorFlow(use, config, name)
    : ofKeras(use, config)
  const call = OPERATION_KINDS.get(op)?.call
  const className = operationClass(op)
  // The compiler refuses an unknown operation together with all others.
  if (!call) return { layers: [{ name, className, config: {}, inputs: [] }], outputs: [name] }
  const layers: Layer[] = []
  const inputs: string[] = []
  const parameters = new Map(named)
  for (const parameter of call.tensors === 'list' ? [LIST] : call.tensors) {
    const argument = parameters.get(parameter)
    parameters.delete(parameter)
    if (!argument) throw unsupported(`Layer ${quote(name)} (${op}) is called without ${quote(parameter)}.`)
    const items = argument.kind === 'list' ? argument.items : [argument]
    for (const [i, item] of items.entries()) {
      if (item.kind === 'tensor') inputs.push(find(item.reference))
      else {
        const constant = constantLayer(`${name}:${parameter}${i}`, item, name)
        layers.push(constant)
        inputs.push(constant.name)
      }
    }
  }
  const options: Record<string, unknown> = {}
  for (const [parameter, argument] of parameters) {
    if (argument.kind !== 'value')
      throw unsupported(
        `Layer ${quote(name)} (${op}) takes ${quote(parameter)} from another layer; a value that is fixed can be served.`,
      )
    if (argument.value !== null && argument.value !== undefined)
      options[parameter] = parameter === 'key' ? indexOf(argument.value, name) : plainValue(argument.value)
  }
  if (op !== 'Split') {
    layers.push({ name, className, config: options, inputs })
    return { layers, outputs: [name] }
  }
  const outputs = partsOf(options.indices_or_sections).map((part) => (part === 0 ? name : `${name}:${part}`))
  for (const [part, output] of outputs.entries())
    layers.push({ name: output, className, config: { ...options, part }, inputs })
  return { layers, outputs }
}

const LIST = 'list'
const MAX_PARTS = 256

function partsOf(sections: unknown): number[] {
  const count = Array.isArray(sections) ? sections.length + 1 : Number(sections)
  const whole = Number.isInteger(count) && count >= 1 && count <= MAX_PARTS ? count : 1
  return Array.from({ length: whole }, (_, i) => i)
}

interface Operation {
  readonly op: string
  readonly named: ReadonlyMap<string, Argument>
}

function ofKeras({ className, call: { args, kwargs } }: KerasUse, config: JsonObject): Operation {
  const named = new Map<string, Argument>()
  for (const [key, value] of Object.entries(config)) {
    if (key === 'name' || key === 'trainable' || (key === 'dtype' && className !== 'Cast')) continue
    named.set(key, { kind: 'value', value })
  }
  const call = OPERATION_KINDS.get(className)?.call
  if (call) assign(named, call, args)
  for (const [key, argument] of kwargs) {
    if (argument.kind === 'value' && argument.value == null) continue
    named.set(call?.tensors === 'list' && argument.kind === 'list' ? LIST : key, argument)
  }
  return { op: className, named }
}

function assign(named: Map<string, Argument>, { tensors, rest = [] }: Call, args: readonly Argument[]): void {
  if (tensors === 'list') {
    const [first, ...others] = args
    if (first?.kind === 'list' && others.length === 0) named.set(LIST, first)
    else named.set(LIST, { kind: 'list', items: args })
    return
  }
  const parameters = [...tensors, ...rest]
  for (const [i, argument] of args.entries()) named.set(parameters[i] ?? `argument ${i}`, argument)
}

function ofTensorFlow(
  { className, call: { args, kwargs } }: KerasUse,
  config: JsonObject,
  name: string,
): Operation {
  const written = field(config, 'function')
  const called = typeof written === 'string' ? written : className
  const known: TensorFlowFunction | undefined = TENSORFLOW_FUNCTIONS.get(called)
  if (!known) return { op: `tf.${called}`, named: new Map() }
  const named = new Map<string, Argument>()
  const set = (parameter: string, argument: Argument) => {
    if (argument.kind === 'value' && argument.value == null) return
    const ours = known.parameters[parameter]
    if (ours === undefined)
      throw unsupported(`Layer ${quote(name)} (tf.${called}) has the argument ${quote(parameter)}.`)
    if (typeof ours === 'string') named.set(ours, argument)
    else if (argument.kind !== 'value' || JSON.stringify(argument.value) !== JSON.stringify(ours.only))
      throw unsupported(
        `Layer ${quote(name)} (tf.${called}) has ${parameter} ${quote(argument.kind === 'value' ? argument.value : 'from a layer')}; ${quote(ours.only)} can be served.`,
      )
  }
  const order = Object.keys(known.parameters)
  for (const [i, argument] of args.entries()) set(order[i] ?? `argument ${i}`, argument)
  for (const [key, argument] of kwargs) if (key !== 'name') set(key, argument)
  for (const [key, value] of Object.entries(known.defaults ?? {}))
    if (!named.has(key)) named.set(key, { kind: 'value', value })
  const list = named.get(LIST)
  if (list?.kind === 'tensor') named.set(LIST, { kind: 'list', items: [list] })
  return { op: known.op, named: known.change ? known.change(named) : named }
}

/** The most numbers of one constant: a matrix of 2,048 × 2,048. */
const MAX_NUMBERS = 2 ** 22

function constantLayer(name: string, argument: Argument, of: string): Layer {
  const value = argument.kind === 'value' ? plainValue(argument.value) : undefined
  const shape: number[] = []
  for (let inner: unknown = value; Array.isArray(inner); inner = inner[0]) shape.push(inner.length)
  const numbers: unknown[] = Array.isArray(value) ? value.flat(shape.length) : [value]
  const flat = numbers.map((item) => (typeof item === 'boolean' ? Number(item) : item))
  const count = shape.reduce((product, size) => product * size, 1)
  if (flat.length > MAX_NUMBERS || flat.length !== count || count === 0 || !flat.every(Number.isFinite)) {
    throw unsupported(
      `Layer ${quote(of)} is called with something that is not another layer's output or a number.`,
    )
  }
  return { name, className: CONSTANT, config: { value: flat, shape }, inputs: [] }
}

/** The content of { class_name: '__numpy__', config: { value, dtype } } and the like. */
function plainValue(value: unknown): unknown {
  const wrapped = field(field(value, 'config'), 'value')
  return wrapped === undefined ? value : wrapped
}

/** An index such as `x[..., ::-1]` in one form. */
function indexOf(key: unknown, name: string): unknown {
  const list: unknown[] = Array.isArray(key) ? key : [key]
  return list.map((entry) => {
    if (entry === null) return 'new'
    if (!isObject(entry)) return entry
    const className = field(entry, 'class_name')
    if (className === '__ellipsis__' || className === 'Ellipsis') return '...'
    const range = className === '__slice__' ? field(entry, 'config') : entry
    if (!isObject(range))
      throw loadError(`The index of layer ${quote(name)} is not in a form that Keras writes.`)
    const bound = (which: string) => plainValue(field(range, which)) ?? null
    return { start: bound('start'), stop: bound('stop'), step: bound('step') }
  })
}

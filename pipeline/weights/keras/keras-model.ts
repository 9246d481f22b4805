import { loadError, quote, unsupported } from '../source/model-file-error.ts'
import { field, isObject, type JsonObject } from '../source/parse-json.ts'
import { numberByClass } from './keras-group-names.ts'
import {
  type Argument,
  inboundCalls,
  type KerasCall,
  type Reference,
  reference,
  referencesIn,
} from './keras-inbound.ts'

/** One model of a configuration, without expanding its inner models. */
export interface KerasModel {
  /** One for each call of each layer; every call comes after those whose outputs it takes. */
  readonly calls: readonly KerasUse[]
  /** The names of the InputLayers, in the order of the model's arguments. */
  readonly inputs: readonly string[]
  readonly outputs: readonly Reference[]
  /** The input shape, with the batch, of a model without an InputLayer. */
  readonly builtFor: unknown
}

/** One call of a layer. A layer that is called several times has one for each. */
export interface KerasUse extends KerasItem {
  readonly call: KerasCall
  /** The number of the call among the calls of the layer. */
  readonly index: number
}

export interface KerasItem {
  readonly name: string
  readonly className: string
  readonly config: unknown
  /** The module of Keras that has the class, by which Keras 3 tells layers and operations apart. */
  readonly module: unknown
  /** Keras 3's name for the layer's group of weights: class and running number. */
  readonly groupName: string
}

/** ResNet1001 has about 4000. */
const MAX_LAYERS = 10_000
const MAX_CALLS = 2 * MAX_LAYERS
const MAX_NAME_CHARACTERS = 500

const MODELS: ReadonlySet<unknown> = new Set(['Model', 'Functional', 'Sequential'])

export const isModel = (className: string): boolean => MODELS.has(className)

export function readModel(model: unknown, what: string): KerasModel {
  const className = field(model, 'class_name')
  if (typeof className !== 'string') throw loadError(`${what} has no class_name.`)
  if (!isModel(className)) {
    throw unsupported(
      `${what} is of class ${quote(className)}; Sequential and functional models can be served, others have no layers to be read.`,
    )
  }
  const config = field(model, 'config')
  const layers = Array.isArray(config) ? config : field(config, 'layers')
  if (!Array.isArray(layers)) throw loadError(`${what} has no list of layers.`)
  if (layers.length > MAX_LAYERS)
    throw loadError(`${what} has ${layers.length} layers, the limit is ${MAX_LAYERS}.`)
  const groupName = numberByClass()
  const named = layers.map((item, i) => ({
    ...readItem(item, i),
    groupName: groupName(String(field(item, 'class_name'))),
  }))
  mustBeDistinct(named, what)
  return className === 'Sequential' ? sequential(named, config, what) : functional(named, config, what)
}

type Named = KerasItem & { readonly nodes: unknown }

function readItem(item: unknown, index: number): Omit<Named, 'groupName'> {
  const [className, config] = [field(item, 'class_name'), field(item, 'config')]
  const name =
    field(item, 'name') ?? field(config, 'name') ?? (Array.isArray(config) ? `model_${index}` : undefined)
  if (typeof className !== 'string') throw loadError(`Layer ${index} has no class_name.`)
  if (typeof name !== 'string' || name === '')
    throw loadError(`Layer ${index} (${quote(className)}) has no name.`)
  if (name.length > MAX_NAME_CHARACTERS || className.length > MAX_NAME_CHARACTERS) {
    throw loadError(
      `Layer ${quote(name)} has a name or a class of more than ${MAX_NAME_CHARACTERS} characters.`,
    )
  }
  return { name, className, config, module: field(item, 'module'), nodes: field(item, 'inbound_nodes') }
}

function mustBeDistinct(items: readonly Named[], what: string): void {
  const seen = new Set<string>()
  for (const { name } of items) {
    if (seen.has(name)) throw loadError(`${what} has two layers named ${quote(name)}.`)
    seen.add(name)
  }
}

/** The input of each layer is the output of the layer before. */
function sequential(items: readonly Named[], config: unknown, what: string): KerasModel {
  const [first, last] = [items[0], items.at(-1)]
  if (!first || !last) throw loadError(`${what} has no layers.`)
  return {
    calls: items.map(({ nodes: _, ...item }, i) => ({ ...item, index: 0, call: callOn(items[i - 1]?.name) })),
    inputs: first.className === 'InputLayer' ? [first.name] : [],
    outputs: [{ layer: last.name, call: 0, tensor: 0 }],
    builtFor: field(config, 'build_input_shape'),
  }
}

function callOn(layer: string | undefined): KerasCall {
  const kwargs = new Map<string, never>()
  if (layer === undefined) return { args: [], kwargs }
  return { args: [{ kind: 'tensor', reference: { layer, call: 0, tensor: 0 } }], kwargs }
}

function functional(named: readonly Named[], config: unknown, what: string): KerasModel {
  const calls = named.flatMap(({ nodes, ...item }): KerasUse[] => {
    const all = inboundCalls(item.name, nodes)
    if (all.length === 0 && item.className !== 'InputLayer')
      throw loadError(`Layer ${quote(item.name)} has no input.`)
    const own = item.className === 'InputLayer' ? [callOn(undefined)] : all
    return own.map((call, index) => ({ ...item, call, index }))
  })
  if (calls.length > MAX_CALLS)
    throw loadError(`${what} has ${calls.length} calls of layers, the limit is ${MAX_CALLS}.`)
  const names = new Set(named.map(({ name }) => name))
  for (const { name, className, call } of calls) {
    const references = referencesIn(call)
    if (references.length === 0 && className !== 'InputLayer')
      throw loadError(`Layer ${quote(name)} has no input.`)
    const missing = references.find(({ layer }) => !names.has(layer))
    if (missing) {
      throw loadError(
        `Layer ${quote(name)} takes its input from layer ${quote(missing.layer)}, which does not exist.`,
      )
    }
  }
  const ends = (end: 'input' | 'output') => {
    const references = endsOf(field(config, `${end}_layers`), end, what)
    const missing = references.find(({ layer }) => !names.has(layer))
    if (!missing) return references
    throw loadError(`${what} names ${quote(missing.layer)} as its ${end}, and there is no such layer.`)
  }
  const outputs = ends('output')
  const inputs = ends('input').map(({ layer }) => layer)
  const numbered = renumbered(calls, outputs)
  return { calls: inputsFirst(numbered.calls), inputs, outputs: numbered.outputs, builtFor: undefined }
}

/** [name, 0, 0], or several of these in a list or an object. */
function endsOf(written: unknown, end: string, what: string): Reference[] {
  const list: unknown = isObject(written) ? Object.values(written) : written
  if (!Array.isArray(list) || list.length === 0)
    throw loadError(`${what} does not say which layer is its ${end}.`)
  const each: unknown[] = typeof list[0] === 'string' ? [list] : list
  return each.map((entry) => {
    if (Array.isArray(entry) && typeof entry[0] === 'string') return reference(what, entry)
    throw loadError(`${what} does not say which layer is its ${end}.`)
  })
}

/**
 * The calls of a layer, counted from 0. Keras also counts calls outside of the model, which the file leaves out: that
 * when a model was made, for example. The calls in the file are then the last ones.
 */
function renumbered(calls: readonly KerasUse[], outputs: readonly Reference[]) {
  const counts = new Map<string, number>()
  for (const { name } of calls) counts.set(name, (counts.get(name) ?? 0) + 1)
  const highest = new Map<string, number>()
  for (const { layer, call } of [...calls.flatMap(({ call }) => referencesIn(call)), ...outputs])
    highest.set(layer, Math.max(highest.get(layer) ?? 0, call))
  const right = (one: Reference): Reference => {
    const count = counts.get(one.layer) ?? 1
    const first = Math.max((highest.get(one.layer) ?? 0) - count + 1, 0)
    const call = count === 1 ? 0 : one.call - first
    if (call < 0)
      throw loadError(`Call ${one.call} of layer ${quote(one.layer)} is used, and is not in the file.`)
    return { ...one, call }
  }
  return {
    calls: calls.map((use) => ({ ...use, call: withReferences(use.call, right) })),
    outputs: outputs.map(right),
  }
}

function withReferences({ args, kwargs }: KerasCall, change: (one: Reference) => Reference): KerasCall {
  const changed = (argument: Argument): Argument => {
    if (argument.kind === 'tensor') return { kind: 'tensor', reference: change(argument.reference) }
    if (argument.kind === 'list') return { kind: 'list', items: argument.items.map(changed) }
    return argument
  }
  return {
    args: args.map(changed),
    kwargs: new Map([...kwargs].map(([key, argument]) => [key, changed(argument)])),
  }
}

const keyOf = (layer: string, call: number): string => `${call} ${layer}`

/** Moves calls so that each comes after its inputs; otherwise the order of the file is kept. */
function inputsFirst(calls: readonly KerasUse[]): KerasUse[] {
  const done = new Set<string>()
  const ordered: KerasUse[] = []
  let waiting = calls.map((use) => ({
    use,
    needs: referencesIn(use.call).map(({ layer, call }) => keyOf(layer, call)),
  }))
  while (waiting.length > 0) {
    const later: typeof waiting = []
    for (const one of waiting) {
      if (!one.needs.every((key) => done.has(key))) {
        later.push(one)
        continue
      }
      done.add(keyOf(one.use.name, one.use.index))
      ordered.push(one.use)
    }
    if (later.length === waiting.length) {
      const names = later.slice(0, 3).map(({ use }) => quote(use.name))
      throw loadError(`The layers ${names.join(', ')} wait for each other: the model has a cycle.`)
    }
    waiting = later
  }
  return ordered
}

export function objectConfig({ name, config }: Pick<KerasItem, 'name' | 'config'>): JsonObject {
  if (isObject(config)) return config
  throw loadError(`Layer ${quote(name)} has no config.`)
}

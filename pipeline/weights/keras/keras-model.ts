import { loadError, quote, unsupported } from '../source/model-file-error.ts'
import { field, isObject, type JsonObject } from '../source/parse-json.ts'
import { numberByClass } from './keras-group-names.ts'
import { inboundLayers } from './keras-inbound.ts'

/** One model of a configuration, without expanding its inner models. */
export interface KerasModel {
  /** In the order of the file, which is Keras' order of the weights. */
  readonly items: readonly KerasItem[]
  /** The name of the InputLayer, if the model has one. */
  readonly input: string | undefined
  readonly output: string
  /** The input shape, with the batch, of a model without an InputLayer. */
  readonly builtFor: unknown
}

export interface KerasItem {
  readonly name: string
  readonly className: string
  readonly config: unknown
  readonly inputs: readonly string[]
  /** Keras 3's name for the layer's group of weights: class and running number. */
  readonly groupName: string
}

/** ResNet1001 has about 4000. */
const MAX_LAYERS = 10_000
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

type Named = Omit<KerasItem, 'inputs'> & { readonly nodes: unknown }

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
  return { name, className, config, nodes: field(item, 'inbound_nodes') }
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
    items: items.map(({ nodes: _, ...item }, i) => ({
      ...item,
      inputs: i > 0 ? [items[i - 1]?.name ?? ''] : [],
    })),
    input: first.className === 'InputLayer' ? first.name : undefined,
    output: last.name,
    builtFor: field(config, 'build_input_shape'),
  }
}

function functional(named: readonly Named[], config: unknown, what: string): KerasModel {
  const items = named.map(({ nodes, ...item }) => ({ ...item, inputs: inboundLayers(item.name, nodes) }))
  const names = new Set(items.map(({ name }) => name))
  for (const { name, className, inputs } of items) {
    if (inputs.length === 0 && className !== 'InputLayer')
      throw loadError(`Layer ${quote(name)} has no input.`)
    const missing = inputs.find((input) => !names.has(input))
    if (missing !== undefined) {
      throw loadError(
        `Layer ${quote(name)} takes its input from layer ${quote(missing)}, which does not exist.`,
      )
    }
  }
  const [input, output] = (['input', 'output'] as const).map((end) => {
    const name = theOne(field(config, `${end}_layers`), end, what)
    if (names.has(name)) return name
    throw loadError(`${what} names ${quote(name)} as its ${end}, and there is no such layer.`)
  })
  return { items: inputsFirst(items), input, output: output ?? '', builtFor: undefined }
}

/** The name in [name, 0, 0] or [[name, 0, 0]]. */
function theOne(references: unknown, end: string, what: string): string {
  if (!Array.isArray(references)) throw loadError(`${what} does not say which layer is its ${end}.`)
  const list: unknown[] = typeof references[0] === 'string' ? [references] : references
  if (list.length !== 1)
    throw unsupported(`${what} has ${list.length} ${end}s; models with one can be served.`)
  const [entry] = list
  if (Array.isArray(entry) && typeof entry[0] === 'string') return entry[0]
  throw loadError(`${what} does not say which layer is its ${end}.`)
}

/** Moves layers so that each comes after its inputs; otherwise the order of the file is kept. */
function inputsFirst(items: readonly KerasItem[]): KerasItem[] {
  const done = new Set<string>()
  const ordered: KerasItem[] = []
  let waiting = items
  while (waiting.length > 0) {
    const later: KerasItem[] = []
    for (const item of waiting) {
      if (!item.inputs.every((input) => done.has(input))) {
        later.push(item)
        continue
      }
      done.add(item.name)
      ordered.push(item)
    }
    if (later.length === waiting.length) {
      const names = later.slice(0, 3).map(({ name }) => quote(name))
      throw loadError(`The layers ${names.join(', ')} wait for each other: the model has a cycle.`)
    }
    waiting = later
  }
  return ordered
}

export function objectConfig({ name, config }: KerasItem): JsonObject {
  if (isObject(config)) return config
  throw loadError(`Layer ${quote(name)} has no config.`)
}

import { ANY_SIZE, type Layer } from '../../models/networks/layer-list.ts'
import { loadError, quote, unsupported } from '../source/model-file-error.ts'
import { field } from '../source/parse-json.ts'
import type { Topology, WeightPlace } from '../source/topology.ts'
import { kerasFields } from './keras-fields.ts'
import { isModel, type KerasItem, type KerasModel, objectConfig, readModel } from './keras-model.ts'

/** The depth of models inside models. Transfer learning makes two or three. */
const MAX_DEPTH = 8
const MAX_ALL_LAYERS = 20_000

/** The layers of a Keras model; those of inner models are named `outer/inner`. Nothing in the config is evaluated. */
export function readKerasConfig(config: unknown): Topology {
  const layers: Layer[] = []
  const places = new Map<string, WeightPlace>()
  const outermost = { layers, places, prefix: '', path: '', depth: 0, frozen: false }
  const output = expand(readModel(config, 'The model'), outermost, undefined)
  const [input, ...others] = layers.filter(({ className }) => className === 'InputLayer')
  if (!input || others.length > 0) {
    throw unsupported(
      `The model has ${layers.length ? others.length + 1 : 0} inputs; models with one can be served.`,
    )
  }
  const list = {
    inputShape: inputShape(input),
    layers: [input, ...layers.filter((it) => it !== input)],
    output,
  }
  return { list, places }
}

interface Scope {
  readonly layers: Layer[]
  readonly places: Map<string, WeightPlace>
  readonly prefix: string
  readonly path: string
  readonly depth: number
  readonly frozen: boolean
  readonly group?: string
}

/** Adds the layers of a model whose input is the output of layer `outer`; returns the name of the model's output. */
function expand(model: KerasModel, scope: Scope, outer: string | undefined): string {
  if (scope.depth > MAX_DEPTH)
    throw loadError(`The model has inner models nested more than ${MAX_DEPTH} deep.`)
  const outputs = new Map<string, string>()
  for (const item of model.items) {
    const path = `${scope.path}/layers/${item.groupName}`
    const inputs = item.inputs.map((name) => outputs.get(name) ?? '')
    // The first layer of a Sequential model takes the model's input.
    if (inputs.length === 0 && item.className !== 'InputLayer') {
      const given = outer ?? (isModel(item.className) ? undefined : addInput(item, model, scope))
      if (given !== undefined) inputs.push(given)
    }
    outputs.set(item.name, addItem(item, { ...scope, path }, inputs, outer))
    if (scope.layers.length > MAX_ALL_LAYERS) {
      throw loadError(`The model has more than ${MAX_ALL_LAYERS} layers, including those of inner models.`)
    }
  }
  return outputs.get(model.output) ?? ''
}

function addItem(
  item: KerasItem,
  scope: Scope,
  inputs: readonly string[],
  outer: string | undefined,
): string {
  const { prefix, group = item.name, path } = scope
  const name = `${prefix}${item.name}`
  const frozen = scope.frozen || field(item.config, 'trainable') === false
  if (isModel(item.className)) {
    if (inputs.length > 1)
      throw unsupported(`The inner model ${quote(name)} has ${inputs.length} inputs; one is supported.`)
    const inner = readModel({ class_name: item.className, config: item.config }, `The model ${quote(name)}`)
    return expand(inner, { ...scope, prefix: `${name}/`, depth: scope.depth + 1, frozen, group }, inputs[0])
  }
  if (item.className === 'InputLayer' && outer !== undefined) return outer
  const config = objectConfig(item)
  if (item.className === 'InputLayer') {
    return add(scope, { name, className: item.className, config: shapeField(config), inputs: [] })
  }
  if (scope.places.has(name)) throw loadError(`The model has two layers named ${quote(name)}.`)
  scope.places.set(name, { group, ownName: item.name, path, frozen })
  const fields = kerasFields(name, item.className, config)
  return add(scope, { name, className: item.className, config: fields, inputs: [...inputs] })
}

function add({ layers }: Scope, layer: Layer): string {
  layers.push(layer)
  return layer.name
}

/** Older Sequential models have no InputLayer: the shape is in the config of the first layer, or of the model. */
function addInput(first: KerasItem, { builtFor }: KerasModel, scope: Scope): string {
  const { batch_shape: shape } = shapeField(objectConfig(first))
  const name = `${scope.prefix}${first.name}_input`
  return add(scope, { name, className: 'InputLayer', config: { batch_shape: shape ?? builtFor }, inputs: [] })
}

function shapeField(config: object): { batch_shape: unknown } {
  return { batch_shape: field(config, 'batch_shape') ?? field(config, 'batch_input_shape') }
}

/** No image has a longer side. */
const MAX_INPUT_SIZE = 2 ** 24
const MAX_INPUT_RANK = 4

function inputShape({ name, config }: Layer): number[] {
  const shape = config.batch_shape
  if (!Array.isArray(shape) || shape.length < 2 || shape.length > MAX_INPUT_RANK + 1) {
    throw loadError(`The shape of the input ${quote(name)} is ${quote(shape)}, not the batch and its sizes.`)
  }
  const sizes: unknown[] = shape.slice(1)
  // Height and width may be any; the third size is the channels.
  const isImage = sizes.length === 3 && sizes.some((size) => size !== null)
  if (sizes.includes(null) && isImage)
    return validShape(
      name,
      sizes.map((size) => size ?? ANY_SIZE),
    )
  if (sizes.includes(null)) {
    throw unsupported(
      `The input ${quote(name)} has the shape ${quote(shape)}; all sizes but the batch's must be fixed.`,
    )
  }
  return validShape(name, sizes)
}

function validShape(name: string, sizes: readonly unknown[]): number[] {
  const isValid = (size: unknown) => size === ANY_SIZE || isSize(size)
  if (sizes.every(isValid)) return sizes as number[]
  throw loadError(`The input ${quote(name)} has the shape ${quote(sizes)}, which no image has.`)
}

function isSize(size: unknown): boolean {
  return Number.isInteger(size) && Number(size) > 0 && Number(size) <= MAX_INPUT_SIZE
}

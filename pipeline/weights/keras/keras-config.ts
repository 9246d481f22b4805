import { ANY_SIZE, type Layer, type LayerList } from '../../models/networks/layer-list.ts'
import { loadError, quote, unsupported } from '../source/model-file-error.ts'
import { field, type JsonObject } from '../source/parse-json.ts'
import type { Topology, WeightPlace } from '../source/topology.ts'
import { channelsLastInput } from './channels-last-input.ts'
import { kerasFields, plainClass } from './keras-fields.ts'
import { type Argument, type KerasCall, type Reference, referencesIn } from './keras-inbound.ts'
import { isModel, type KerasModel, type KerasUse, objectConfig, readModel } from './keras-model.ts'
import { isOperation, operationLayers } from './keras-operations.ts'
import { fromKeras1, isOfKeras1 } from './keras1-fields.ts'

/** The depth of models inside models. Transfer learning makes two or three. */
const MAX_DEPTH = 8
const MAX_ALL_LAYERS = 20_000

export interface ReadOptions {
  /** The version of Keras that wrote the model: 3, or 2 for all before. */
  readonly keras?: number
}

/** The layers of a Keras model; those of inner models are named `outer/inner`. Nothing in the config is evaluated. */
export function readKerasConfig(config: unknown, options: ReadOptions = {}): Topology {
  const layers: Layer[] = []
  const places = new Map<string, WeightPlace>()
  const keras = options.keras ?? 3
  const work = { uses: 0 }
  const outermost = { layers, places, work, keras, prefix: '', path: '', depth: 0, frozen: false }
  const outputs = expand(readModel(config, 'The model'), outermost, undefined)
  const [input, ...others] = layers.filter(({ className }) => className === 'InputLayer')
  if (!input || others.length > 0) {
    throw unsupported(
      `The model has ${layers.length ? others.length + 1 : 0} inputs; models with one can be served.`,
    )
  }
  const [output = ''] = outputs
  const list: LayerList = {
    inputShape: inputShape(input),
    layers: [input, ...layers.filter((it) => it !== input)],
    output,
    ...(outputs.length > 1 && { outputs }),
  }
  return { list: channelsLastInput(list), places }
}

interface Scope {
  readonly layers: Layer[]
  readonly places: Map<string, WeightPlace>
  /** The calls of layers so far. A call of an inner model may add no layer, and may hold a thousand such calls. */
  readonly work: { uses: number }
  readonly keras: number
  readonly prefix: string
  /** The prefix of the first use of an inner model that is used again: the weights are there. */
  readonly sharedPrefix?: string
  readonly path: string
  readonly depth: number
  readonly frozen: boolean
  readonly group?: string
}

/** Adds the layers of a model that is called with `given`; returns the names of the model's outputs. */
function expand(model: KerasModel, scope: Scope, given: readonly string[] | undefined): string[] {
  if (scope.depth > MAX_DEPTH)
    throw loadError(`The model has inner models nested more than ${MAX_DEPTH} deep.`)
  if (given && model.inputs.length > 0 && given.length !== model.inputs.length)
    throw loadError(`An inner model has ${model.inputs.length} inputs and is called with ${given.length}.`)
  const outputs = new Map<string, readonly string[]>()
  const find = ({ layer, call, tensor }: Reference): string => {
    const name = outputs.get(`${call} ${layer}`)?.[tensor]
    if (name !== undefined) return name
    throw unsupported(`The model uses output ${tensor} of layer ${quote(layer)}, which Tandem does not know.`)
  }
  for (const use of model.calls) {
    const path = `${scope.path}/layers/${use.groupName}`
    outputs.set(`${use.index} ${use.name}`, addUse(use, model, { ...scope, path }, given, find))
    if (++scope.work.uses > MAX_ALL_LAYERS || scope.layers.length > MAX_ALL_LAYERS) {
      throw loadError(`The model has more than ${MAX_ALL_LAYERS} layers, including those of inner models.`)
    }
  }
  return model.outputs.map(find)
}

function addUse(
  use: KerasUse,
  model: KerasModel,
  scope: Scope,
  given: readonly string[] | undefined,
  find: (reference: Reference) => string,
): readonly string[] {
  const { prefix, group = use.name, path } = scope
  const own = `${prefix}${use.name}`
  const name = use.index === 0 ? own : `${own}@${use.index}`
  const inputs = referencesIn(use.call).map(find)
  // The first layer of a Sequential model takes the model's input.
  if (inputs.length === 0 && use.className !== 'InputLayer') {
    const first = given ?? (isModel(use.className) ? [] : [addInput(use, model, scope)])
    inputs.push(...first)
  }
  const frozen = scope.frozen || field(use.config, 'trainable') === false
  if (isModel(use.className)) {
    mustBeHarmless(name, use.call)
    const inner = readModel({ class_name: use.className, config: use.config }, `The model ${quote(name)}`)
    const shared = sharedName(use, scope)
    const within = {
      ...scope,
      prefix: `${name}/`,
      ...(shared !== undefined && { sharedPrefix: `${shared}/` }),
      depth: scope.depth + 1,
      frozen,
      group,
    }
    return expand(inner, within, inputs.length > 0 ? inputs : undefined)
  }
  if (use.className === 'InputLayer' && given) {
    const at = model.inputs.indexOf(use.name)
    return [given[Math.max(at, 0)] ?? '']
  }
  const config = objectConfig(use)
  if (use.className === 'InputLayer') {
    return [add(scope, { name, className: use.className, config: shapeField(config), inputs: [] })]
  }
  if (isOperation(use)) {
    const operation = operationLayers(use, config, name, find)
    for (const layer of operation.layers) add(scope, layer)
    return operation.outputs
  }
  const { className, config: written } = modern(classOf(use, config), config)
  mustBeHarmless(name, use.call, SAME_IN_TRAINING.has(className))
  const fields =
    className === SCALED_SUM ? { scale: scaleOf(config) } : kerasFields(name, className, written, scope.keras)
  const shared = sharedName(use, scope)
  if (shared === undefined) {
    if (scope.places.has(name)) throw loadError(`The model has two layers named ${quote(name)}.`)
    scope.places.set(name, { group, ownName: use.name, path, frozen })
  }
  return [
    add(scope, {
      name,
      className,
      config: fields,
      inputs,
      ...(shared !== undefined && { weightsOf: shared }),
    }),
  ]
}

const modern = (className: string, config: JsonObject) =>
  isOfKeras1(className, config) ? fromKeras1(className, config) : { className, config }

/** The layer whose weights are used again; undefined at the first use. */
function sharedName({ name, index }: KerasUse, { prefix, sharedPrefix }: Scope): string | undefined {
  if (index === 0 && sharedPrefix === undefined) return undefined
  return `${sharedPrefix ?? prefix}${name}`
}

/** Inception-ResNet's a + scale · b, which older files have as a Lambda. Its code is not looked at. */
const SCALED_SUM = 'CustomScaleLayer'

function classOf({ className, name, call }: KerasUse, config: JsonObject): string {
  const isBlock = /^block(35|17|8)_\d+$/.test(name) && referencesIn(call).length === 2
  if (className === 'Lambda' && isBlock && scaleOf(config) !== undefined) return SCALED_SUM
  return plainClass(className)
}

const scaleOf = (config: JsonObject): unknown =>
  field(field(config, 'arguments'), 'scale') ?? field(config, 'scale')

/** Layers that do the same in training, so that training: true changes nothing. */
const SAME_IN_TRAINING: ReadonlySet<string> = new Set([
  'CenterCrop',
  'Normalization',
  'Rescaling',
  'Resizing',
])

/** Refuses arguments that could change what a layer computes; training: false does not. */
function mustBeHarmless(layer: string, { kwargs, args }: KerasCall, sameInTraining = false): void {
  const isHarmless = ([key, argument]: readonly [string, Argument]): boolean => {
    if (argument.kind !== 'value')
      return key === 'key' || key === 'value' || key === 'query' || key === 'inputs'
    return argument.value == null || (key === 'training' && (sameInTraining || argument.value === false))
  }
  const other = [...kwargs].find((entry) => !isHarmless(entry))
  if (other) throw unsupported(`Layer ${quote(layer)} is called with the argument ${quote(other[0])}.`)
  if (args.some((argument) => argument.kind === 'value' && argument.value != null))
    throw unsupported(`Layer ${quote(layer)} is called with something that is not another layer's output.`)
}

function add({ layers }: Scope, layer: Layer): string {
  layers.push(layer)
  return layer.name
}

/** Older Sequential models have no InputLayer: the shape is in the config of the first layer, or of the model. */
function addInput(first: KerasUse, { builtFor }: KerasModel, scope: Scope): string {
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

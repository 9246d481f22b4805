import { PipelineError } from '../errors.ts'
import type { Layer, LayerList } from '../models/networks/layer-list.ts'
import { checkWeights } from './check-weights.ts'
import { otherOutputs } from './computed-outputs.ts'
import { withHardSigmoids } from './hard-sigmoids.ts'
import type { Emission, Plan, Shape } from './kind.ts'
import { layerError, shapeText } from './layer-config.ts'
import { type OnnxGraph, onnxGraph } from './onnx-graph.ts'
import { foldedNormalizations, fusedPools, neededLayers } from './plan.ts'
import { planLayers } from './plan-layers.ts'
import { type Preprocessing, preprocess } from './preprocessing.ts'
import { INPUT_NAME, OUTPUT_NAME, otherName } from './tensor-names.ts'
import { plain, type Value } from './value.ts'
import { ownerOf, type WeightStore } from './weight-store.ts'
import type { WinogradForm } from './winograd/form.ts'

export interface CompileOptions {
  readonly preprocessing: Preprocessing
  readonly input: 'uint8' | 'float32'
  /** The name of the weights file, which the model looks for in its own folder. */
  readonly dataFile: string
  /** The convolutions to be computed by Winograd's way, by the names of their layers. */
  readonly winograd?: ReadonlyMap<string, WinogradForm>
}

/**
 * Compiles a layer list and its weights to an ONNX model. Returns the .onnx file; the weights go to `write` in pieces.
 * Only one array of weights is in memory at a time.
 */
export async function compileGraph(
  given: LayerList,
  weights: WeightStore,
  options: CompileOptions,
  write: (bytes: Uint8Array) => Promise<void>,
): Promise<Uint8Array> {
  const list = withHardSigmoids(given)
  const plans = planLayers(list)
  const others = otherOutputs(list, plans).map(({ name }) => name)
  const outputs = [list.output, ...others]
  const layers = neededLayers(list, outputs)
  checkWeights(layers, plans, weights)
  const folded = foldedNormalizations(layers, plans, outputs)
  const forms = options.winograd ?? new Map<string, WinogradForm>()
  const pools = fusedPools(layers, plans, outputs, folded)
  const absorbed = new Set([...folded.values()].map(({ name }) => name))
  for (const [name, pool] of pools) if (forms.has(name)) absorbed.add(pool.name)
  const graph = onnxGraph(options.dataFile, write)
  const values = new Map<string, Value>()
  for (const layer of layers) {
    graph.label(layer.name)
    const plan = found(plans.get(layer.name), layer)
    if (layer.className === 'InputLayer') {
      const { shape } = plan
      values.set(layer.name, preprocess(graph, { shape, type: options.input, mode: options.preprocessing }))
      continue
    }
    const inputs = layer.inputs.map((name) => found(values.get(name), layer)) as unknown as Emission['inputs']
    if (absorbed.has(layer.name)) {
      values.set(layer.name, inputs[0])
      continue
    }
    const normalization = folded.get(layer.name)
    const affine = normalization && (await affineOf(normalization, plans, weights))
    const read = reader(layer, plan, weights)
    const form = plan.winograd && forms.get(layer.name)
    const winograd = form && { form, pool: pools.has(layer.name) }
    const more = { ...(affine && { affine }), ...(winograd && { winograd }) }
    values.set(layer.name, await plan.emit({ graph, inputs, read, ...more }))
  }
  const answers = outputs.map((name) => ({ name, value: found(values.get(name), layers[0]) }))
  return finish(graph, options, answers, list.inputShape)
}

function affineOf(layer: Layer, plans: ReadonlyMap<string, Plan>, weights: WeightStore) {
  const plan = found(plans.get(layer.name), layer)
  return plan.affine?.read(reader(layer, plan, weights))
}

/** The served output first. A tensor can be one output only, and the input none. */
function finish(
  graph: OnnxGraph,
  { input }: CompileOptions,
  answers: readonly { name: string; value: Value }[],
  inputShape: Shape,
): Uint8Array {
  graph.label('output')
  const taken = new Set([INPUT_NAME])
  const outputs = answers.map(({ name, value }, i) => {
    const answer = plain(graph, value)
    const tensor = taken.has(answer) ? graph.node('Identity', [answer]) : answer
    taken.add(tensor)
    return { name: i === 0 ? OUTPUT_NAME : otherName(name), tensor, shape: value.shape }
  })
  return graph.finish({ type: input, shape: inputShape }, outputs)
}

/** Reads one of a layer's arrays, and checks the length: a file may contain less or more than it declares. */
function reader(layer: Layer, { arrays = [] }: Plan, weights: WeightStore): Emission['read'] {
  const owner = ownerOf(layer)
  return async (wanted) => {
    const index = arrays.findIndex(({ role }) => role === wanted)
    if (index < 0) return undefined
    const announced = weights.arrays(owner)[index]?.shape ?? []
    const array = await weights.read(owner, index)
    if (array.length === announced.reduce((product, size) => product * size, 1)) return array
    throw layerError(
      layer,
      `its ${wanted} of shape ${shapeText(announced)} came with ${array.length} numbers`,
    )
  }
}

function found<T>(value: T | undefined, layer: Layer | undefined): T {
  if (value !== undefined) return value
  throw new PipelineError('ERR_MODEL_LOAD', `The input of layer '${layer?.name}' is missing.`)
}

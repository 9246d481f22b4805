import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inferShapes } from '../../pipeline/graph/shapes.ts'
import type { WeightStore } from '../../pipeline/graph/weight-store.ts'
import type { Layer, LayerList } from '../../pipeline/models/networks/layer-list.ts'

/* A network of Keras as the converter of TensorFlow.js writes it from a SavedModel: a graph of operations. */

type Attributes = Readonly<Record<string, object>>

export interface GraphOptions {
  /** Batch normalizations as a product and a sum, as older converters write them. */
  readonly normalization?: 'fused' | 'parts'
  /** The batch of a reshape is computed from the shape of the input. */
  readonly computedBatch?: true
  /** The JSON does not say which node is the output. */
  readonly unsigned?: true
}

const text = (value: string) => ({ s: Buffer.from(value).toString('base64') })
const numbers = (values: readonly number[]) => ({ list: { i: values.map(String) } })
const texts = (values: readonly string[]) => ({ list: { s: values.map((value) => text(value).s) } })
const around = (sides: unknown) => {
  const [height, width] = sides as [number, number]
  return numbers([1, height, width, 1])
}

/** The folder of the model. */
export async function writeGraphModel(
  folder: string,
  list: LayerList,
  weights: WeightStore,
  options: GraphOptions = {},
): Promise<string> {
  const shapes = inferShapes(list)
  const nodes: object[] = []
  const manifest: { name: string; shape: number[]; dtype: string }[] = []
  const bytes: Uint8Array[] = []

  function constant(name: string, shape: readonly number[], values: Float32Array | Int32Array): string {
    manifest.push({ name, shape: [...shape], dtype: values instanceof Float32Array ? 'float32' : 'int32' })
    bytes.push(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
    nodes.push({ name, op: 'Const', attr: {} })
    return name
  }

  function node(name: string, op: string, input: readonly string[], attr: Attributes = {}): string {
    nodes.push({ name, op, input, attr })
    return name
  }

  async function array(layer: Layer, index: number): Promise<string> {
    const { shape = [] } = weights.arrays(layer.name)[index] ?? {}
    return constant(`${layer.name}/array_${index}`, shape, await weights.read(layer.name, index))
  }

  const whole = (layer: Layer, word: string, values: readonly number[], shape = [values.length]) =>
    constant(`${layer.name}/${word}`, shape, Int32Array.from(values))

  async function layerNodes(layer: Layer): Promise<void> {
    const { name, className, config, inputs } = layer
    const [x = ''] = inputs
    const padding = text(String(config.padding).toUpperCase())
    const window = { padding, strides: around(config.strides ?? [1, 1]), data_format: text('NHWC') }
    switch (className) {
      case 'InputLayer': {
        const dim = [{ size: '-1' }, ...list.inputShape.map((size) => ({ size: String(size) }))]
        node(name, 'Placeholder', [], { shape: { shape: { dim } } })
        return
      }
      case 'Conv2D':
      case 'DepthwiseConv2D':
      case 'Dense':
        return weighted(layer, x, window)
      case 'BatchNormalization':
        return normalization(layer, x)
      case 'ReLU':
        node(name, config.max_value === 6 ? 'Relu6' : 'Relu', [x])
        return
      case 'Activation':
        node(name, config.activation === 'softmax' ? 'Softmax' : 'Relu', [`${x}:0`])
        return
      case 'MaxPooling2D':
      case 'AveragePooling2D':
        node(name, className === 'MaxPooling2D' ? 'MaxPool' : 'AvgPool', [x], {
          ...window,
          ksize: around(config.pool_size),
          strides: around(config.strides ?? config.pool_size),
        })
        return
      case 'GlobalAveragePooling2D': {
        const axes = whole(layer, 'axes', [1, 2])
        node(name, 'Mean', [x, axes], { keep_dims: { b: config.keepdims === true } })
        return
      }
      case 'ZeroPadding2D': {
        const [[top, bottom], [left, right]] = config.padding as [[number, number], [number, number]]
        node(name, 'Pad', [x, whole(layer, 'paddings', [0, 0, top, bottom, left, right, 0, 0], [4, 2])])
        return
      }
      case 'Flatten':
      case 'Reshape':
        reshape(layer, x)
        return
      case 'Dropout':
        node(name, 'Identity', [x])
        return
      case 'Add':
        node(name, 'AddV2', inputs)
        return
      case 'Concatenate':
        node(name, 'ConcatV2', [...inputs, whole(layer, 'axis', [3], [])])
        return
      default:
        throw new Error(`no nodes for ${className}`)
    }
  }

  async function weighted(layer: Layer, x: string, window: Attributes): Promise<void> {
    const { name, className, config } = layer
    const isDense = className === 'Dense'
    const plain =
      { Conv2D: 'Conv2D', DepthwiseConv2D: 'DepthwiseConv2dNative', Dense: 'MatMul' }[className] ?? ''
    const fused =
      { Conv2D: '_FusedConv2D', DepthwiseConv2D: 'FusedDepthwiseConv2dNative', Dense: '_FusedMatMul' }[
        className
      ] ?? ''
    const attributes = isDense ? {} : { ...window, dilations: around(config.dilation_rate ?? [1, 1]) }
    const kernel = await array(layer, 0)
    const isRectified = config.activation === 'relu'
    const last = config.activation === 'softmax' ? `${name}/logits` : name
    if (config.use_bias === false) node(last, plain, [x, kernel], attributes)
    else if (isRectified)
      node(last, fused, [x, kernel, await array(layer, 1)], {
        ...attributes,
        fused_ops: texts(['BiasAdd', 'Relu']),
      })
    else
      node(last, 'BiasAdd', [node(`${name}/product`, plain, [x, kernel], attributes), await array(layer, 1)])
    if (last !== name) node(name, 'Softmax', [last])
  }

  async function normalization(layer: Layer, x: string): Promise<void> {
    const { name, config } = layer
    const roles = [config.scale !== false && 'gamma', config.center !== false && 'beta', 'mean', 'variance']
    const given = roles.filter((role) => role !== false)
    const values = new Map<string, Float32Array>()
    for (const [index, role] of given.entries()) values.set(role, await weights.read(layer.name, index))
    const mean = values.get('mean') ?? new Float32Array()
    const variance = values.get('variance') ?? new Float32Array()
    const gamma = values.get('gamma') ?? new Float32Array(mean.length).fill(1)
    const beta = values.get('beta') ?? new Float32Array(mean.length)
    const epsilon = Number(config.epsilon)
    const vector = (word: string, array: Float32Array) => constant(`${name}/${word}`, [array.length], array)
    if (options.normalization !== 'parts') {
      const arrays = [
        vector('gamma', gamma),
        vector('beta', beta),
        vector('mean', mean),
        vector('variance', variance),
      ]
      node(name, 'FusedBatchNormV3', [x, ...arrays], { epsilon: { f: epsilon }, is_training: { b: false } })
      return
    }
    const factor = mean.map((_, i) => (gamma[i] ?? 1) / Math.sqrt((variance[i] ?? 0) + epsilon))
    const shift = mean.map((value, i) => value * (factor[i] ?? 0) - (beta[i] ?? 0))
    node(name, 'Sub', [node(`${name}/mul`, 'Mul', [vector('factor', factor), x]), vector('shift', shift)])
  }

  function reshape(layer: Layer, x: string): void {
    const { name } = layer
    const target = shapes.get(name) ?? []
    if (!options.computedBatch) {
      node(name, 'Reshape', [x, whole(layer, 'shape', [-1, ...target])])
      return
    }
    const [begin, end] = [whole(layer, 'begin', [0]), whole(layer, 'end', [1])]
    const batch = node(`${name}/batch`, 'StridedSlice', [node(`${name}/size`, 'Shape', [x]), begin, end])
    const sizes = target.map((size, i) => whole(layer, `size_${i}`, [size], []))
    node(name, 'Reshape', [x, node(`${name}/pack`, 'Pack', [batch, ...sizes])])
  }

  for (const layer of list.layers) await layerNodes(layer)
  // As a SavedModel ends.
  node('Identity', 'Identity', [list.output])
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'group1-shard1of1.bin'), Buffer.concat(bytes))
  const json = {
    format: 'graph-model',
    generatedBy: '2.15.0',
    convertedBy: 'TensorFlow.js Converter v4.22.0',
    modelTopology: { node: nodes, library: {}, versions: {} },
    weightsManifest: [{ paths: ['group1-shard1of1.bin'], weights: manifest }],
    ...(!options.unsigned && { signature: { outputs: { answer: { name: 'Identity:0' } } } }),
  }
  writeFileSync(join(folder, 'model.json'), JSON.stringify(json))
  return folder
}

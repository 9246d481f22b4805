import { BATCH_EPSILON, CLASSES, INPUT_SIZE, parameters, type Sized, sizedSteps, sizeOf } from './network.ts'
import { type Graph, newGraph } from './onnx-graph.ts'

/**
 * One step of training, including gradients, as a graph of plain ONNX operators. ONNX Runtime computes the graph faster
 * than any training library for Node. Inputs: `images`, `targets` (rows of probabilities), `kept` (dropout), and the
 * parameters by name. Outputs: `loss`, `gradients` and `statistics`, in this order.
 */
export interface TrainingGraph {
  readonly model: Uint8Array
  readonly loss: string
  /** In the order of `parameters()`. */
  readonly gradients: readonly string[]
  /** Mean and variance of each normalization over the batch. */
  readonly statistics: readonly { readonly layer: string; readonly mean: string; readonly variance: string }[]
}

type Backward = (gradient: string) => string | undefined

interface Built {
  readonly graph: Graph
  readonly batch: number
  readonly gradients: Map<string, string>
  readonly statistics: { layer: string; mean: string; variance: string }[]
}

export function trainingGraph(batch: number): TrainingGraph {
  const built: Built = { graph: newGraph(), batch, gradients: new Map(), statistics: [] }
  const { graph, gradients, statistics } = built
  const backwards: Backward[] = []
  let x = 'images'
  let features = 0
  for (const sized of sizedSteps()) {
    const [forward, backward] = addStep(built, sized, x)
    x = forward
    backwards.push(backward)
    if (sized.step.kind === 'dense') features = sizeOf(sized.before)
  }
  const { loss, gradient } = crossEntropy(graph, x, batch)
  let back: string | undefined = gradient
  for (const backward of backwards.reverse()) back = back === undefined ? undefined : backward(back)
  const all = parameters()
  const inputs = [
    { name: 'images', shape: [batch, 1, INPUT_SIZE, INPUT_SIZE] },
    { name: 'targets', shape: [batch, CLASSES] },
    { name: 'kept', shape: [batch, features] },
    ...all,
  ]
  const named = all.map(({ name }) => gradients.get(name) ?? '')
  const moments = statistics.flatMap(({ mean, variance }) => [mean, variance])
  return { model: graph.encode(inputs, [loss, ...named, ...moments]), loss, gradients: named, statistics }
}

function addStep(built: Built, sized: Sized, x: string): [string, Backward] {
  if (sized.step.kind === 'pooling') return pooling(built, sized, x)
  if (sized.step.kind === 'dense') return dense(built, sized, x, sized.step.name)
  return convolution(built, sized, x, sized.step)
}

function convolution(
  built: Built,
  { before, after }: Sized,
  x: string,
  { name, size }: { name: string; size: number },
): [string, Backward] {
  const { graph, batch, gradients } = built
  const kernel = `${name}/kernel`
  const y = graph.node('Conv', [x, kernel], { kernel_shape: [size, size] })
  const [normal, throughNormal] = normalization(built, y, name, batch * after[1] * after[2])
  const z = graph.node('Relu', [normal])
  const backward: Backward = (gradient) => {
    const open = graph.node('Cast', [graph.node('Greater', [z, graph.floats([0])])], { to: 1 })
    const dy = throughNormal(graph.node('Mul', [gradient, open]))
    gradients.set(kernel, kernelGradient(built, { before, after, size }, x, dy))
    return x === 'images'
      ? undefined
      : graph.node('ConvTranspose', [dy, kernel], { kernel_shape: [size, size] })
  }
  return [z, backward]
}

/** For each offset in the kernel: the input at that offset times the gradient, summed over the batch. */
function kernelGradient(
  { graph, batch }: Built,
  { before, after, size }: { before: Sized['before']; after: Sized['after']; size: number },
  x: string,
  dy: string,
): string {
  const [channels] = before
  const [filters, height, width] = after
  const flat = graph.node('Reshape', [dy, graph.integers([batch, filters, height * width])])
  const shape = graph.integers([batch, channels, height * width])
  const offsets = Array.from({ length: size * size }, (_, at) => [Math.floor(at / size), at % size] as const)
  const parts = offsets.map(([row, column]) => {
    const from = graph.integers([row, column])
    const to = graph.integers([row + height, column + width])
    const window = graph.node('Slice', [x, from, to, graph.integers([2, 3])])
    const product = graph.node('FusedMatMul', [flat, graph.node('Reshape', [window, shape])], { transB: 1 })
    return graph.node('ReduceSum', [product, graph.integers([0])], { keepdims: 0 })
  })
  const stacked = parts.map((part) => graph.node('Unsqueeze', [part, graph.integers([2])]))
  const joined = graph.node('Concat', stacked, { axis: 2 })
  return graph.node('Reshape', [joined, graph.integers([filters, channels, size, size])])
}

/** Batch normalization in training: uses the mean and variance of the batch, which have gradients too. */
function normalization(
  { graph, gradients, statistics }: Built,
  y: string,
  layer: string,
  count: number,
): [string, (gradient: string) => string] {
  const axes = [0, 2, 3]
  const mean = graph.node('ReduceMean', [y], { axes })
  const centered = graph.node('Sub', [y, mean])
  const variance = graph.node('ReduceMean', [graph.node('Mul', [centered, centered])], { axes })
  const deviation = graph.node('Sqrt', [graph.node('Add', [variance, graph.floats([BATCH_EPSILON])])])
  const inverse = graph.node('Reciprocal', [deviation])
  const unit = graph.node('Mul', [centered, inverse])
  const [gamma, beta] = [`${layer}/gamma`, `${layer}/beta`]
  const z = graph.node('Add', [graph.node('Mul', [unit, gamma]), beta])
  statistics.push({ layer, mean, variance })
  return [
    z,
    (gradient) => {
      const sum = (of: string) => graph.node('ReduceSum', [of, graph.integers(axes)])
      const share = (of: string) => graph.node('Mul', [of, graph.floats([1 / count])])
      const dGamma = sum(graph.node('Mul', [gradient, unit]))
      const dBeta = sum(gradient)
      gradients.set(gamma, dGamma)
      gradients.set(beta, dBeta)
      const common = graph.node('Add', [graph.node('Mul', [unit, share(dGamma)]), share(dBeta)])
      const scale = graph.node('Mul', [gamma, inverse])
      return graph.node('Mul', [graph.node('Sub', [gradient, common]), scale])
    },
  ]
}

/** Takes the largest of each 2 × 2 pixels; the gradient goes back to that pixel. */
function pooling({ graph, batch }: Built, { before }: Sized, x: string): [string, Backward] {
  const window = { kernel_shape: [2, 2], strides: [2, 2] }
  const [y = '', places = ''] = graph.nodes('MaxPool', [x], 2, window)
  return [
    y,
    (gradient) => graph.node('MaxUnpool', [gradient, places, graph.integers([batch, ...before])], window),
  ]
}

function dense({ graph, gradients }: Built, { before }: Sized, x: string, name: string): [string, Backward] {
  const flat = graph.node('Reshape', [x, graph.integers([-1, sizeOf(before)])])
  const dropped = graph.node('Mul', [flat, 'kept'])
  const [kernel, bias] = [`${name}/kernel`, `${name}/bias`]
  const y = graph.node('Gemm', [dropped, kernel, bias])
  return [
    y,
    (gradient) => {
      gradients.set(kernel, graph.node('Gemm', [dropped, gradient], { transA: 1 }))
      gradients.set(bias, graph.node('ReduceSum', [gradient, graph.integers([0])], { keepdims: 0 }))
      const back = graph.node('Mul', [graph.node('Gemm', [gradient, kernel], { transB: 1 }), 'kept'])
      return graph.node('Reshape', [back, graph.integers([-1, ...before])])
    },
  ]
}

function crossEntropy(graph: Graph, y: string, batch: number): { loss: string; gradient: string } {
  const logarithm = graph.node('LogSoftmax', [y], { axis: 1 })
  const sum = graph.node('ReduceSum', [graph.node('Mul', ['targets', logarithm])], { keepdims: 0 })
  const loss = graph.node('Mul', [sum, graph.floats([-1 / batch])])
  const error = graph.node('Sub', [graph.node('Exp', [logarithm]), 'targets'])
  return { loss, gradient: graph.node('Mul', [error, graph.floats([1 / batch])]) }
}

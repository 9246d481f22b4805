import type { OnnxGraph } from '../onnx-graph.ts'
import type { WinogradForm, WinogradShape } from './form.ts'
import { PLACES, transformedKernel } from './matrices.ts'

type Product = WinogradForm['product']

/** The weights of the product: the transformed kernel. */
export function productWeights(
  graph: OnnxGraph,
  kernel: Float32Array,
  { channels, filters }: WinogradShape,
  { product, factors }: { product: Product; factors?: Float64Array | undefined },
): Promise<string> {
  const byFilter = product === 'groups'
  const pieces = transformedKernel(kernel, { channels, filters }, { byFilter, factors })
  const shape = byFilter ? [PLACES * filters, channels, 1, 1] : [PLACES, channels, filters]
  return graph.weights(shape, pieces)
}

/** Multiplies the tiles by the weights. The result is (n, 36, tiles, filters) for `images`, else (36, n × tiles, filters). */
export function products(
  graph: OnnxGraph,
  tiles: string,
  weights: string,
  { product, filters }: { product: Product; filters: number },
): string {
  if (product !== 'groups') return graph.node('MatMul', [tiles, weights])
  // A convolution has its weights packed once, when the model is opened; a MatMul would repack such large ones at each run.
  const planes = graph.node('Transpose', [tiles], { perm: [0, 3, 1, 2] })
  const multiplied = graph.node('Conv', [planes, weights], { kernel_shape: [1, 1], group: PLACES })
  const pixels = graph.node('Transpose', [multiplied], { perm: [0, 2, 3, 1] })
  const rows = graph.node('Reshape', [pixels, graph.integers([-1, PLACES, filters])])
  return graph.node('Transpose', [rows], { perm: [1, 0, 2] })
}

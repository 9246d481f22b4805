import { activate, activationName } from './activations.ts'
import { type Emission, inputOf, readBias, readRequired } from './emission.ts'
import { plain, type Value } from './value.ts'
import { matrixPieces } from './weight-layout.ts'

/** The matrix stays in Keras' order (in, out): ONNX Runtime reads it in place, for one image and for many. */
export async function emitDense(emission: Emission): Promise<Value> {
  const { graph, layer, shape, affine } = emission
  const input = inputOf(emission)
  const rows = input.shape.at(-1) ?? 1
  const columns = shape.at(-1) ?? 1
  // A flattened image stays in its order of planes. The rows of the matrix are reordered once, instead of every image.
  const image = input.tensors.plain === undefined ? input.flattened : undefined
  const x = image ? (input.tensors.planes ?? '') : plain(graph, input)
  const kernel = await readRequired(emission, 'kernel')
  const matrix = await graph.weights([rows, columns], matrixPieces(kernel, columns, image, affine?.factors))
  const bias = await readBias(emission)
  const biasInput = bias ? [await graph.weights([columns], [bias])] : []
  const tensor =
    input.shape.length === 1
      ? graph.node('Gemm', [x, matrix, ...biasInput])
      : [graph.node('MatMul', [x, matrix]), ...biasInput].reduce((product, added) =>
          graph.node('Add', [product, added]),
        )
  return activate(graph, { shape, nonNegative: false, tensors: { plain: tensor } }, activationName(layer))
}

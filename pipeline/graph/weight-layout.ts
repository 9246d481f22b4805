/*
 * Keras' arrays in the order in which ONNX wants them, in pieces, so that beside the array itself only one piece lies
 * in memory: the first dense layer of VGG-16 alone has 411 MB.
 */

/** Large enough that writing it is one good write, small enough not to matter. */
const PIECE_ELEMENTS = 1 << 20

/**
 * A convolution's kernel (height × width, in, out) as (out, in, height × width), each output channel multiplied by its
 * own factor. A depthwise kernel (height × width, in, multiplier) is one with in = 1 and out = in × multiplier.
 */
export function* convolutionPieces(
  kernel: Float32Array,
  { area, inputs, outputs }: { area: number; inputs: number; outputs: number },
  factors?: Float64Array,
): Generator<Float32Array> {
  const each = area * inputs
  const perPiece = Math.max(1, Math.floor(PIECE_ELEMENTS / each))
  for (let first = 0; first < outputs; first += perPiece) {
    const piece = new Float32Array(Math.min(perPiece, outputs - first) * each)
    let at = 0
    for (let output = first; at < piece.length; output++) {
      const factor = factors?.[output] ?? 1
      for (let input = 0; input < inputs; input++) {
        for (let place = 0; place < area; place++) {
          piece[at++] = (kernel[(place * inputs + input) * outputs + output] ?? 0) * factor
        }
      }
    }
    yield piece
  }
}

/**
 * A dense layer's kernel (in, out) as it is, each column multiplied by its own factor, and the rows put in the order in
 * which a flattened image arrives: channel by channel, where Keras has pixel by pixel.
 */
export function* matrixPieces(
  kernel: Float32Array,
  columns: number,
  image?: readonly number[],
  factors?: Float64Array,
): Generator<Float32Array> {
  const rows = kernel.length / columns
  const [height = 1, width = 1, channels = rows] = image ?? []
  const area = height * width
  const perPiece = Math.max(1, Math.floor(PIECE_ELEMENTS / columns))
  for (let first = 0; first < rows; first += perPiece) {
    const last = Math.min(first + perPiece, rows)
    if (!image && !factors) {
      yield kernel.subarray(first * columns, last * columns)
      continue
    }
    const piece = new Float32Array((last - first) * columns)
    for (let row = first; row < last; row++) {
      const source = image ? (row % area) * channels + Math.floor(row / area) : row
      piece.set(kernel.subarray(source * columns, (source + 1) * columns), (row - first) * columns)
    }
    if (factors)
      for (let i = 0; i < piece.length; i++) piece[i] = (piece[i] ?? 0) * (factors[i % columns] ?? 1)
    yield piece
  }
}

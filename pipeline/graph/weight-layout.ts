/*
 * Reorders Keras' arrays for ONNX, in pieces, so that only the array and one piece are in memory: the first dense layer
 * of VGG-16 alone has 411 MB.
 */

/** Large enough for efficient writes, small enough not to matter in memory. */
const PIECE_ELEMENTS = 1 << 20

/**
 * Turns a convolution kernel (height × width, in, out) into (out, in, height × width), and multiplies each output
 * channel by its factor. A depthwise kernel (height × width, channels, multiplier) has in = 1, out = channels × multiplier.
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
 * Keeps a dense kernel as (in, out) and multiplies each column by its factor. For a flattened `image`, reorders the rows
 * from Keras' order, pixel by pixel, to the order in which the image arrives, channel by channel.
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

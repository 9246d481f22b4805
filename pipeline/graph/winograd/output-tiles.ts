import type { OnnxGraph } from '../onnx-graph.ts'
import type { WinogradForm } from './form.ts'
import { OUTPUT_MATRIX, STEP, TILE } from './matrices.ts'

export interface Output {
  readonly product: WinogradForm['product']
  /** [vertical, horizontal] */
  readonly tiles: readonly [number, number]
  readonly filters: number
  /** Whether each 2 × 2 pixels become their maximum. */
  readonly pool: boolean
}

/** Transforms products back into an image (n, rows, columns, filters) of whole tiles. */
export function outputTiles(graph: OnnxGraph, multiplied: string, output: Output): string {
  const { product, tiles, filters, pool } = output
  const [down, across] = tiles
  const side = pool ? STEP / 2 : STEP
  const squares = pool
    ? maxima(graph, multiplied, output)
    : twice(graph, multiplied, OUTPUT_MATRIX, OUTPUT_MATRIX, output)
  const isByImage = product === 'images'
  const axes = isByImage ? [-1, side, side, down, across, filters] : [side, side, -1, down, across, filters]
  const perm = isByImage ? [0, 3, 1, 4, 2, 5] : [2, 3, 0, 4, 1, 5]
  const ordered = graph.node('Transpose', [graph.node('Reshape', [squares, graph.integers(axes)])], { perm })
  return graph.node('Reshape', [ordered, graph.integers([-1, side * down, side * across, filters])])
}

/** Of each 2 × 2 pixels: even and odd rows and columns are computed apart, so that the maximum leaves a quarter. */
function maxima(graph: OnnxGraph, multiplied: string, output: Output): string {
  const even = OUTPUT_MATRIX.filter((_, row) => row % 2 === 0)
  const odd = OUTPUT_MATRIX.filter((_, row) => row % 2 === 1)
  const quarters = [even, odd].flatMap((across) => {
    const half = horizontally(graph, multiplied, across, output)
    return [even, odd].map((down) => vertically(graph, half, down, across.length, output))
  })
  return graph.node('Max', quarters)
}

type Matrix = readonly (readonly number[])[]

/** Two multiplications by small matrices: one by their product, 16 × 36, is slower. */
function twice(graph: OnnxGraph, x: string, across: Matrix, down: Matrix, output: Output): string {
  return vertically(graph, horizontally(graph, x, across, output), down, across.length, output)
}

function horizontally(graph: OnnxGraph, x: string, matrix: Matrix, output: Output): string {
  const shape = output.product === 'images' ? [-1, TILE, perPlace(output)] : [TILE, TILE, -1]
  return multiply(graph, matrix, graph.node('Reshape', [x, graph.integers(shape)]))
}

function vertically(graph: OnnxGraph, x: string, matrix: Matrix, columns: number, output: Output): string {
  const shape = output.product === 'images' ? [-1, TILE, columns * perPlace(output)] : [TILE, -1]
  return multiply(graph, matrix, graph.node('Reshape', [x, graph.integers(shape)]))
}

function multiply(graph: OnnxGraph, matrix: Matrix, x: string): string {
  return graph.node('MatMul', [graph.floats(matrix.flat(), [matrix.length, TILE]), x])
}

const perPlace = ({ tiles, filters }: Output): number => tiles[0] * tiles[1] * filters

import type { OnnxGraph } from '../onnx-graph.ts'
import type { Pads, WinogradForm, WinogradShape } from './form.ts'
import { inputTiles, type Part } from './input-tiles.ts'
import { STEP, TILE } from './matrices.ts'
import { outputTiles } from './output-tiles.ts'
import { products, productWeights } from './products.ts'

export interface WinogradConvolution {
  readonly shape: WinogradShape
  readonly pads: Pads
  readonly form: WinogradForm
  /** Whether a maximum of each 2 × 2 pixels follows. An incomplete last row or column of pixels is left out. */
  readonly pool: boolean
  /** In Keras' order: (3 × 3, in, out). */
  readonly kernel: Float32Array
  readonly bias: Float32Array | undefined
  /** The kernel of each filter is multiplied by its factor. */
  readonly factors: Float64Array | undefined
}

/** A 3 × 3 convolution with stride 1 of a tensor (n, height, width, channels), by Winograd's way. */
export async function winograd(
  graph: OnnxGraph,
  x: string,
  convolution: WinogradConvolution,
): Promise<string> {
  const { shape, pads, form, pool, kernel, bias, factors } = convolution
  const { product } = form
  const { filters } = shape
  const weights = await productWeights(graph, kernel, shape, { product, factors })
  const { parts, size } = stripsOf(graph, x, { shape, pads, strips: form.strips })
  const results = parts.map(({ tensor, part }) => {
    const tiles = inputTiles(graph, tensor, part, form)
    const multiplied = products(graph, tiles, weights, { product, filters })
    return outputTiles(graph, multiplied, { product, tiles: part.tiles, filters, pool })
  })
  const whole = results.length === 1 ? (results[0] ?? '') : graph.node('Concat', results, { axis: 1 })
  const cut = cutTo(graph, whole, size, pool)
  if (bias === undefined) return cut
  return graph.node('Add', [cut, await graph.weights([filters], [bias])])
}

interface Strips {
  readonly parts: readonly { readonly tensor: string; readonly part: Part }[]
  /** Of the result, before the maximum. */
  readonly size: readonly [number, number]
}

function stripsOf(
  graph: OnnxGraph,
  x: string,
  { shape, pads, strips }: { shape: WinogradShape; pads: Pads; strips: number },
): Strips {
  const { height, width, channels } = shape
  const [top, left, bottom, right] = pads
  const size = [height + top + bottom - 2, width + left + right - 2] as const
  const [down, across] = size.map((length) => Math.ceil(length / STEP)) as [number, number]
  // Zeros after the image, so that the last tiles are whole.
  const below = spanOf(down) - height - top
  const after = spanOf(across) - width - left
  const count = Math.min(strips, down)
  if (count === 1) {
    const part: Part = {
      height,
      width,
      channels,
      tiles: [down, across],
      pads: [top, left, below, after],
    }
    return { parts: [{ tensor: x, part }], size }
  }
  const padded = graph.node('Pad', [x, graph.integers([0, top, 0, 0, 0, below, 0, 0]), graph.floats([0], [])])
  const parts = Array.from({ length: count }, (_, i) => {
    const [first, end] = [Math.floor((i * down) / count), Math.floor(((i + 1) * down) / count)]
    const rows = spanOf(end - first)
    const from = STEP * first
    const tensor = slice(graph, padded, [from], [from + rows], [1])
    const part: Part = {
      height: rows,
      width,
      channels,
      tiles: [end - first, across],
      pads: [0, left, 0, after],
    }
    return { tensor, part }
  })
  return { parts, size }
}

/** The pixels that so many tiles in a row cover. */
const spanOf = (tiles: number): number => STEP * tiles + TILE - STEP

/** Whole tiles may be larger than the result. */
function cutTo(graph: OnnxGraph, x: string, size: readonly [number, number], pool: boolean): string {
  const side = pool ? STEP / 2 : STEP
  const wanted = size.map((length) => (pool ? Math.floor(length / 2) : length))
  const there = size.map((length) => side * Math.ceil(length / STEP))
  if (wanted.join() === there.join()) return x
  return slice(graph, x, [0, 0], wanted, [1, 2])
}

function slice(
  graph: OnnxGraph,
  x: string,
  from: readonly number[],
  to: readonly number[],
  axes: readonly number[],
): string {
  return graph.node('Slice', [x, graph.integers(from), graph.integers(to), graph.integers(axes)])
}

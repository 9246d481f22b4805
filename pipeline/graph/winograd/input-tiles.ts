import type { OnnxGraph } from '../onnx-graph.ts'
import type { Pads, WinogradForm } from './form.ts'
import { bothAxes, INPUT_MATRIX, PLACES, STEP, TILE } from './matrices.ts'

/** A part of the image, of some rows and all columns, and the tiles that it is cut into. */
export interface Part {
  readonly height: number
  readonly width: number
  readonly channels: number
  /** [vertical, horizontal] */
  readonly tiles: readonly [number, number]
  /** Around the part, so that all tiles are whole. */
  readonly pads: Pads
}

type Product = WinogradForm['product']

/**
 * Cuts out the tiles of an image (n, height, width, channels) and transforms them. The result has the order that the
 * product takes: (n, 36, tiles, channels), (36, n × tiles, channels), or (n × tiles, 36 × channels) after two axes of 1.
 */
export function inputTiles(
  graph: OnnxGraph,
  x: string,
  part: Part,
  { input, product }: WinogradForm,
): string {
  return input === 'convolution' ? convolved(graph, x, part, product) : gathered(graph, x, part, product)
}

/** The convolution is in three dimensions: one of two would be done on blocks of 16 channels, where this one has one. */
function convolved(graph: OnnxGraph, x: string, part: Part, product: Product): string {
  const { height, width, channels, pads } = part
  const [top, left, bottom, right] = pads
  const image = graph.node('Reshape', [x, graph.integers([-1, 1, height, width, channels])])
  const kernel = graph.floats(bothAxes(INPUT_MATRIX), [PLACES, 1, TILE, TILE, 1])
  const tiles = graph.node('Conv', [image, kernel], {
    kernel_shape: [TILE, TILE, 1],
    strides: [STEP, STEP, 1],
    pads: [top, left, 0, bottom, right, 0],
  })
  const count = part.tiles[0] * part.tiles[1]
  const reshaped = graph.node('Reshape', [tiles, graph.integers([-1, PLACES, count, channels])])
  if (product === 'images') return reshaped
  const perm = product === 'batch' ? [1, 0, 2, 3] : [0, 2, 1, 3]
  return graph.node('Reshape', [
    graph.node('Transpose', [reshaped], { perm }),
    shapeFor(graph, product, part),
  ])
}

/** First along the columns, then along the rows: gathers overlapping lines of tiles and multiplies them by the matrix. */
function gathered(graph: OnnxGraph, x: string, part: Part, product: Product): string {
  const { channels, tiles, pads } = part
  const [down, across] = tiles
  const [top, left, bottom, right] = pads
  const width = part.width + left + right
  const matrix = graph.floats(INPUT_MATRIX.flat(), [TILE, TILE])
  const along = (tensor: string, count: number, rest: number) =>
    graph.node('MatMul', [
      matrix,
      graph.node('Reshape', [
        graph.node('Gather', [tensor, graph.integers(lines(count))], { axis: 1 }),
        graph.integers([-1, TILE, rest]),
      ]),
    ])
  const padded = pads.some((by) => by > 0)
    ? graph.node('Pad', [x, graph.integers([0, top, left, 0, 0, bottom, right, 0]), graph.floats([0], [])])
    : x
  const vertical = along(padded, down, down * width * channels)
  const rows = graph.node('Reshape', [vertical, graph.integers([-1, width, channels])])
  const horizontal = along(rows, across, across * channels)
  // n, place down, tile down, place across, tile across, channel
  const axes = graph.node('Reshape', [horizontal, graph.integers([-1, TILE, down, TILE, across, channels])])
  const perm = PERMUTATIONS[product]
  return graph.node('Reshape', [graph.node('Transpose', [axes], { perm }), shapeFor(graph, product, part)])
}

const PERMUTATIONS: Readonly<Record<Product, readonly number[]>> = {
  images: [0, 1, 3, 2, 4, 5],
  batch: [1, 3, 0, 2, 4, 5],
  groups: [0, 2, 4, 1, 3, 5],
}

function shapeFor(graph: OnnxGraph, product: Product, { tiles, channels }: Part): string {
  if (product === 'images') return graph.integers([-1, PLACES, tiles[0] * tiles[1], channels])
  return graph.integers(product === 'batch' ? [PLACES, -1, channels] : [1, 1, -1, PLACES * channels])
}

/** The lines of the image that tiles are made of: the first line of each tile, then the second of each, and so on. */
function lines(count: number): number[] {
  return Array.from({ length: TILE * count }, (_, i) => STEP * (i % count) + Math.floor(i / count))
}

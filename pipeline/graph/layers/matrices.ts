import type { OnnxGraph } from '../onnx-graph.ts'

/*
 * Resizing an image, and averaging over cells, are linear maps along each axis: a matrix [to, from] for the rows and one
 * for the columns. The matrices are computed as TensorFlow computes its weights, so that the numbers are the same.
 */

export interface Matrix {
  readonly from: number
  readonly to: number
  /** Row by row: for each number of the result, the weight of each number of the input. */
  readonly weights: Float32Array
}

/** Applies a matrix along the height and one along the width of an image in the order of planes. */
export function separable(
  graph: OnnxGraph,
  planes: string,
  { vertical, horizontal }: { vertical: Matrix; horizontal: Matrix },
): string {
  const { from, to, weights } = horizontal
  const transposed = Array.from(
    { length: from * to },
    (_, i) => weights[(i % to) * from + Math.floor(i / to)] ?? 0,
  )
  const wide = graph.node('MatMul', [planes, graph.floats(transposed, [from, to])])
  return graph.node('MatMul', [
    graph.floats(Array.from(vertical.weights), [vertical.to, vertical.from]),
    wide,
  ])
}

export function averagedCells(from: number, to: number): Matrix {
  const weights = new Float32Array(from * to)
  for (let i = 0; i < to; i++) {
    const [first, end] = [Math.floor((i * from) / to), Math.ceil(((i + 1) * from) / to)]
    weights.fill(1 / (end - first), i * from + first, i * from + end)
  }
  return { from, to, weights }
}

export type Interpolation = 'nearest' | 'bilinear' | 'bicubic' | 'lanczos3' | 'lanczos5'

/** The pixels that nearest takes: the one below the centre of each pixel of the result. */
export function nearestPixels(from: number, to: number): number[] {
  const scale = Math.fround(from / to)
  return Array.from({ length: to }, (_, i) =>
    Math.min(Math.floor(Math.fround(Math.fround(i + 0.5) * scale)), from - 1),
  )
}

export function resizing(
  from: number,
  to: number,
  interpolation: Exclude<Interpolation, 'nearest'>,
  antialias: boolean,
): Matrix {
  if (interpolation === 'bilinear' && !antialias) return bilinear(from, to)
  if (interpolation === 'bicubic' && !antialias) return bicubic(from, to)
  return filtered(from, to, KERNELS[interpolation], antialias)
}

function bilinear(from: number, to: number): Matrix {
  const weights = new Float32Array(from * to)
  for (let i = 0; i < to; i++) {
    const at = ((i + 0.5) * from) / to - 0.5
    const [low, part] = [Math.floor(at), at - Math.floor(at)]
    const [first, second] = [Math.max(low, 0), Math.min(Math.ceil(at), from - 1)]
    const row = i * from
    weights[row + first] = (weights[row + first] ?? 0) + 1 - part
    weights[row + second] = (weights[row + second] ?? 0) + part
  }
  return { from, to, weights }
}

/** TensorFlow reads the weights of its bicubic from a table with so many steps between two pixels. */
const TABLE_STEPS = 1024

function bicubic(from: number, to: number): Matrix {
  const weights = new Float32Array(from * to)
  const scale = Math.fround(from / to)
  for (let i = 0; i < to; i++) {
    const at = Math.fround(Math.fround(i + 0.5) * scale - 0.5)
    const low = Math.floor(at)
    const part = Math.round((at - low) * TABLE_STEPS) / TABLE_STEPS
    const near = [1 + part, part, 1 - part, 2 - part].map(cubic)
    let sum = 0
    for (const [k, weight] of near.entries()) {
      const pixel = low - 1 + k
      if (pixel < 0 || pixel >= from) continue
      weights[i * from + pixel] = weight
      sum += weight
    }
    for (let k = 0; k < from; k++) weights[i * from + k] = (weights[i * from + k] ?? 0) / sum
  }
  return { from, to, weights }
}

/** The cubic of Keys, with a = −0.5. */
function cubic(distance: number): number {
  if (distance >= 2) return 0
  if (distance >= 1) return ((-0.5 * distance + 2.5) * distance - 4) * distance + 2
  return (1.5 * distance - 2.5) * distance * distance + 1
}

interface Kernel {
  readonly radius: number
  at(distance: number): number
}

const KERNELS: Readonly<Record<Exclude<Interpolation, 'nearest'>, Kernel>> = {
  bilinear: { radius: 1, at: (distance) => Math.max(1 - distance, 0) },
  bicubic: { radius: 2, at: cubic },
  lanczos3: lanczos(3),
  lanczos5: lanczos(5),
}

function lanczos(radius: number): Kernel {
  return {
    radius,
    at(distance) {
      if (distance > radius) return 0
      if (distance <= 1e-3) return 1
      const angle = Math.PI * distance
      return (radius * Math.sin(angle) * Math.sin(angle / radius)) / (angle * angle)
    },
  }
}

/** Each number of the result is a weighted mean of the numbers near its place, in a window that antialiasing widens. */
function filtered(from: number, to: number, kernel: Kernel, antialias: boolean): Matrix {
  const weights = new Float32Array(from * to)
  const step = from / to
  const wider = antialias ? Math.max(step, 1) : 1
  const reach = kernel.radius * wider
  const within = (index: number) => Math.min(Math.max(index, 0), from - 1)
  for (let i = 0; i < to; i++) {
    const at = (i + 0.5) * step
    const first = within(Math.ceil(at - reach - 0.5))
    const last = within(Math.floor(at + reach - 0.5))
    const near: number[] = []
    for (let k = first; k <= last; k++) near.push(kernel.at(Math.abs((k + 0.5 - at) / wider)))
    const sum = near.reduce((total, weight) => total + weight, 0)
    for (const [k, weight] of near.entries()) weights[i * from + first + k] = weight / sum
  }
  return { from, to, weights }
}

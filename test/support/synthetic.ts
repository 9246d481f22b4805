/* Weights, images and inputs by formula, the same bit for bit on every machine. */

export interface SyntheticArray {
  /** The number of the array among the model's arrays, in Keras' order. */
  t: number
  name: string
  kind: 'kernel' | 'bias' | 'gamma' | 'beta' | 'mean' | 'variance' | 'inputMean' | 'inputVariance' | 'count'
  shape: number[]
  fanIn?: number
  scale?: number
}

export interface SyntheticLayer {
  layer: string
  class: string
  arrays: SyntheticArray[]
}

export function hash(t: number, i: number): number {
  let x = (i + Math.imul(0x9e3779b9, t + 1)) | 0
  x ^= x >>> 16
  x = Math.imul(x, 0x7feb352d)
  x ^= x >>> 15
  x = Math.imul(x, 0x846ca68b)
  x ^= x >>> 16
  return x >>> 0
}

export function syntheticArray({ t, kind, shape, fanIn = 1, scale = 1 }: SyntheticArray): Float32Array {
  const length = shape.reduce((product, size) => product * size, 1)
  const values = new Float32Array(length)
  const bound = Math.sqrt(6 / fanIn)
  for (let i = 0; i < length; i++) values[i] = value(kind, hash(t, i) / 4294967296, bound, scale)
  return values
}

function value(kind: SyntheticArray['kind'], u: number, bound: number, scale: number): number {
  if (kind === 'kernel') return (2 * u - 1) * bound * scale
  if (kind === 'bias') return (2 * u - 1) * 0.1
  if (kind === 'gamma') return (0.5 + u) * scale
  if (kind === 'variance') return 0.5 + u
  if (kind === 'inputMean') return 0.4 + u * 0.2
  if (kind === 'inputVariance') return 0.05 + u * 0.1
  if (kind === 'count') return 1000
  return (u - 0.5) * 0.2
}

/** Inputs of the small models, by the flat index over the whole batch. */
export function tinyInput(length: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => 2 * (hash(1000, i) / 4294967296) - 1)
}

const triangle = (n: number): number => ((n & 511) < 256 ? n & 511 : 511 - (n & 511))

/** The smooth image: RGB, uint8. */
export function smoothImage(height: number, width: number): Uint8Array {
  return fill(height, width, (y, x, c) => {
    const a = triangle(5 * x + 3 * y + 85 * c)
    const b = triangle(((x * x + 2 * y * y) >> 6) + (2 * c + 1) * x + 170 * c)
    const d = triangle(((x * y) >> 4) + (7 - 2 * c) * y + 300)
    return (a + 2 * b + d) >> 2
  })
}

export function noiseImage(height: number, width: number): Uint8Array {
  return fill(height, width, (y, x, c) => hash(2000, (y * width + x) * 3 + c) >>> 24)
}

function fill(height: number, width: number, pixel: (y: number, x: number, c: number) => number): Uint8Array {
  const bytes = new Uint8Array(height * width * 3)
  let at = 0
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) for (let c = 0; c < 3; c++) bytes[at++] = pixel(y, x, c)
  }
  return bytes
}

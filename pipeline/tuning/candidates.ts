import type { WinogradForm, WinogradShape } from '../graph/winograd/form.ts'
import { PLACES, STEP } from '../graph/winograd/matrices.ts'

const BYTES = 4
const MIB = 2 ** 20
// Strips of transformed data of these sizes stay in the caches of today's CPUs.
const STRIP_BYTES: readonly number[] = [4 * MIB, 2 * MIB]
/** Transformed images up to this size are not cut into strips. */
const LARGE_DATA = 8 * MIB
// MatMul repacks its weights at each run; from this size on, that may cost more than a convolution's reordering of tiles.
const LARGE_WEIGHTS = 4 * MIB
// Gathering touches each pixel twice, which only pays for small images.
const MOST_TILES_TO_GATHER = 400

/** The forms that are worth measuring for a convolution, those first that are likely to win. */
export function candidateForms(shape: WinogradShape): WinogradForm[] {
  const [down, across] = tilesOf(shape)
  const { channels, filters } = shape
  const dataBytes = PLACES * down * across * channels * BYTES
  const weightBytes = PLACES * channels * filters * BYTES
  const strips = new Set([1])
  if (dataBytes > LARGE_DATA) {
    for (const bytes of STRIP_BYTES) strips.add(Math.min(Math.ceil(dataBytes / bytes), Math.ceil(down / 2)))
  }
  const inputs = down * across <= MOST_TILES_TO_GATHER ? GATHER_TOO : CONVOLUTION
  const products = weightBytes >= LARGE_WEIGHTS ? GROUPS_TOO : MATRICES
  return inputs.flatMap((input) =>
    products.flatMap((product) => [...strips].reverse().map((strips) => ({ input, product, strips }))),
  )
}

const CONVOLUTION = ['convolution'] as const
const GATHER_TOO = ['gather', 'convolution'] as const
const MATRICES = ['images', 'batch'] as const
const GROUPS_TOO = ['groups', 'images', 'batch'] as const

/** The share of multiplications that Winograd's way saves is the same for all; below so many, its other work costs more. */
const FEWEST_CHANNELS = 16
const FEWEST_MULTIPLICATIONS = 2_000_000

export function isWorthMeasuring(shape: WinogradShape): boolean {
  return (
    Math.min(shape.channels, shape.filters) >= FEWEST_CHANNELS &&
    multiplications(shape) >= FEWEST_MULTIPLICATIONS
  )
}

export function multiplications({ height, width, channels, filters }: WinogradShape): number {
  return height * width * channels * filters * 9
}

const tilesOf = ({ height, width }: WinogradShape) =>
  [Math.ceil(height / STEP), Math.ceil(width / STEP)] as const

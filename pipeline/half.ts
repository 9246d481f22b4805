/* Numbers of 16 bits (IEEE 754 binary16), which older versions of Node have no array for. */

const EXPONENT_BITS = 5
const FRACTION_BITS = 10
const BIAS = 15
const INFINITE = 0x7c00
/** Half a step above the largest number. */
const TOO_LARGE = 65_520

/** The bits of each number, rounded half to even. */
export function toHalf(values: Float32Array): Uint16Array {
  return Uint16Array.from(values, halfOf)
}

export function fromHalf(bits: Uint16Array): Float32Array {
  return Float32Array.from(bits, numberOfHalf)
}

function halfOf(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0
  const size = Math.abs(value)
  if (Number.isNaN(size)) return 0x7e00
  if (size >= TOO_LARGE) return sign | INFINITE
  // Below the smallest normal number, the steps no longer shrink.
  const exponent = Math.max(Math.floor(Math.log2(size || Number.MIN_VALUE)), 1 - BIAS)
  const steps = roundedToEven(size * 2 ** (FRACTION_BITS - exponent))
  // A number that was rounded up to the next power of two carries into the exponent by itself.
  return sign | ((exponent + BIAS - 1) * 2 ** FRACTION_BITS + steps)
}

function roundedToEven(value: number): number {
  const below = Math.floor(value)
  const rest = value - below
  if (rest === 0.5) return below + (below % 2)
  return rest > 0.5 ? below + 1 : below
}

export function numberOfHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> FRACTION_BITS) & (2 ** EXPONENT_BITS - 1)
  const fraction = bits & (2 ** FRACTION_BITS - 1)
  if (exponent === 2 ** EXPONENT_BITS - 1) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY
  const steps = exponent === 0 ? fraction : fraction + 2 ** FRACTION_BITS
  return sign * steps * 2 ** (Math.max(exponent, 1) - BIAS - FRACTION_BITS)
}

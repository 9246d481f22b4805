/** More digits than this never tell two numbers of 32 bits apart. */
const MOST_DIGITS = 9
/** More than a number of 64 bits can be asked for; a half that is one to this many digits is one. */
const ALL_DIGITS = 100
/** Where numpy goes over to an exponent. */
const SMALLEST_PLAIN = 1e-4
const LARGEST_PLAIN = 1e16

/** A number of 32 bits as numpy prints it: the shortest text that reads back as the same one, such as `1.3920588e-08`. */
export function floatText(number: number): string {
  const value = Math.fround(number)
  if (value === 0 || !Number.isFinite(value)) return value === 0 ? '0.0' : String(value)
  const size = Math.abs(value)
  const digits = Math.sign(value) * shortest(size)
  if (size < SMALLEST_PLAIN || size >= LARGEST_PLAIN) return withExponent(digits)
  const plain = String(digits)
  return plain.includes('.') ? plain : `${plain}.0`
}

/** Below a power of two the numbers lie closer together than above it: the nearer text may be that of a neighbour. */
function shortest(value: number): number {
  const [mantissa = '', exponent = ''] = value.toExponential(ALL_DIGITS).split('e')
  const digits = mantissa.replace('.', '')
  for (let count = 1; count < MOST_DIGITS; count++) {
    const candidates = roundings(digits, count).map((whole) =>
      Number(`${whole}e${Number(exponent) - count + 1}`),
    )
    const same = candidates.find((candidate) => Math.fround(candidate) === value)
    if (same !== undefined) return same
  }
  return Number(value.toPrecision(MOST_DIGITS))
}

/** Down and up to so many digits, the nearer one first; of two that are equally near, the even one. */
function roundings(digits: string, count: number): [number, number] {
  const below = Number(digits.slice(0, count))
  const rest = digits.slice(count)
  const half = '5'.padEnd(rest.length, '0')
  const isNearerAbove = rest > half || (rest === half && below % 2 === 1)
  return isNearerAbove ? [below + 1, below] : [below, below + 1]
}

/** Two digits at least in the exponent, and always its sign. */
function withExponent(value: number): string {
  const [mantissa = '', exponent = ''] = value.toExponential().split('e')
  return `${mantissa}e${exponent.slice(0, 1)}${exponent.slice(1).padStart(2, '0')}`
}

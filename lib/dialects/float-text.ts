/** This many digits tell any two 32-bit floats apart. */
const MOST_DIGITS = 9
/** The most digits that toExponential gives: a tie at this many digits is a real tie. */
const ALL_DIGITS = 100
/** numpy writes an exponent below SMALLEST_PLAIN, and from LARGEST_PLAIN on. */
const SMALLEST_PLAIN = 1e-4
const LARGEST_PLAIN = 1e16

/** A 32-bit float as numpy prints it: the shortest text that parses back to the same float, such as `1.3920588e-08`. */
export function floatText(number: number): string {
  const value = Math.fround(number)
  if (value === 0 || !Number.isFinite(value)) return value === 0 ? '0.0' : String(value)
  const size = Math.abs(value)
  const digits = Math.sign(value) * shortest(size)
  if (size < SMALLEST_PLAIN || size >= LARGEST_PLAIN) return withExponent(digits)
  const plain = String(digits)
  return plain.includes('.') ? plain : `${plain}.0`
}

/** Floats lie closer together below a power of two than above, so the nearer of two texts may belong to a neighbour. */
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

/** Rounded down and up to `count` digits, the nearer number first; in a tie, the even number first. */
function roundings(digits: string, count: number): [number, number] {
  const below = Number(digits.slice(0, count))
  const rest = digits.slice(count)
  const half = '5'.padEnd(rest.length, '0')
  const isNearerAbove = rest > half || (rest === half && below % 2 === 1)
  return isNearerAbove ? [below + 1, below] : [below, below + 1]
}

/** The exponent has a sign and at least two digits. */
function withExponent(value: number): string {
  const [mantissa = '', exponent = ''] = value.toExponential().split('e')
  return `${mantissa}e${exponent.slice(0, 1)}${exponent.slice(1).padStart(2, '0')}`
}

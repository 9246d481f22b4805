/** More digits than this never tell two numbers of 32 bits apart. */
const MOST_DIGITS = 9
/** Where numpy goes over to an exponent. */
const SMALLEST_PLAIN = 1e-4
const LARGEST_PLAIN = 1e16

/** A number of 32 bits as numpy prints it: the shortest text that reads back as the same one, such as `1.3920588e-08`. */
export function floatText(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return value === 0 ? '0.0' : String(value)
  const digits = shortest(value)
  const size = Math.abs(value)
  if (size < SMALLEST_PLAIN || size >= LARGEST_PLAIN) return withExponent(digits)
  const plain = String(digits)
  return plain.includes('.') ? plain : `${plain}.0`
}

function shortest(value: number): number {
  for (let digits = 1; digits < MOST_DIGITS; digits++) {
    const candidate = Number(value.toPrecision(digits))
    if (Math.fround(candidate) === Math.fround(value)) return candidate
  }
  return Number(value.toPrecision(MOST_DIGITS))
}

/** Two digits at least in the exponent, and always its sign. */
function withExponent(value: number): string {
  const [mantissa = '', exponent = ''] = value.toExponential().split('e')
  return `${mantissa}e${exponent.slice(0, 1)}${exponent.slice(1).padStart(2, '0')}`
}

/** Rounds to 16-bit floats and returns their bits. Weights are far below the largest 16-bit float, 65504. */
export function toFloat16(values: Float32Array): Uint16Array {
  const bits = new Uint32Array(Float32Array.from(values).buffer)
  return Uint16Array.from(bits, (word) => {
    const sign = (word >>> 16) & 0x8000
    const exponent = ((word >>> 23) & 255) - 127 + 15
    const fraction = word & 0x7fffff
    if (exponent >= 31) throw new Error('A weight is too large for 16 bits.')
    if (exponent < -10) return sign
    // Below the smallest exponent the number is subnormal: the leading 1 is explicit, and the bits shift to the right.
    const whole = exponent > 0 ? (exponent << 23) | fraction : (fraction | 0x800000) >>> (1 - exponent)
    return sign + ((whole + 0xfff + ((whole >>> 13) & 1)) >>> 13)
  })
}

export function fromFloat16(bits: Uint16Array): Float32Array {
  return Float32Array.from(bits, (word) => {
    const sign = word & 0x8000 ? -1 : 1
    const exponent = (word >>> 10) & 31
    const fraction = word & 1023
    return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15))
  })
}

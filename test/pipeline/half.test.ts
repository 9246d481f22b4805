import { expect } from 'chai'
import { fromHalf, toHalf } from '../../pipeline/half.ts'

describe('numbers of 16 bits', () => {
  it('become the same bits again, all of them', () => {
    const bits = Uint16Array.from({ length: 2 ** 16 }, (_, i) => i)
    const again = toHalf(fromHalf(bits))
    // Any fraction stands for NaN.
    const isNoNumber = (value: number) => (value & 0x7c00) === 0x7c00 && (value & 0x3ff) !== 0
    const different = bits.filter((value, i) =>
      isNoNumber(value) ? again[i] !== 0x7e00 : again[i] !== value,
    )
    expect([...different]).to.deep.equal([])
  })

  it('are rounded to the nearest, and to the even one of two', () => {
    const rounded = fromHalf(toHalf(Float32Array.of(2049, 2051, 0.1, 65_519, 65_520, -1e9, 1e-9, -0)))
    expect([...rounded]).to.deep.equal([2048, 2052, 0.0999755859375, 65_504, Infinity, -Infinity, 0, -0])
  })
})

import { expect } from 'chai'
import { floatText } from '../../../lib/dialects/float-text.ts'
import { seeded } from '../../support/image-files.ts'

/** What `str()` makes of a numpy.float32, beside its bits. */
const NUMPY = [
  [0x00000000, '0.0'],
  [0x3f800000, '1.0'],
  [0x3f000000, '0.5'],
  [0x3dcccccd, '0.1'],
  [0x3ea66666, '0.325'],
  [0x3f6f3f53, '0.93456'],
  [0x3ea66667, '0.32500002'],
  [0x3eaaaaab, '0.33333334'],
  [0x326f2765, '1.3920588e-08'],
  [0x38d1b715, '9.999998e-05'],
  [0x38d1b717, '1e-04'],
  [0x3a83126f, '0.001'],
  [0x3851b717, '5e-05'],
  [0x38800000, '6.1035156e-05'],
  [0x34000000, '1.1920929e-07'],
  [0x2edbe6ff, '1e-10'],
  [0x1f145b86, '3.1415925e-20'],
  [0x00800000, '1.1754944e-38'],
  [0x00000001, '1e-45'],
  [0x00000003, '4e-45'],
  [0x3f7fffff, '0.99999994'],
  [0x42f6e979, '123.456'],
  [0x477fe000, '65504.0'],
  [0x38d1b716, '9.999999e-05'],
  [0x38d1b718, '0.000100000005'],
  [0x38d1b719, '0.00010000001'],
  [0x007fffff, '1.1754942e-38'],
  [0x39800000, '0.00024414062'],
  [0x0f800000, '1.2621775e-29'],
  [0x00000002, '3e-45'],
] as const

describe('floatText', () => {
  it('prints a number of 32 bits as numpy does', () => {
    for (const [pattern, text] of NUMPY) expect(floatText(bits(pattern))).to.equal(text)
  })

  it('writes an exponent below 0.0001, also for the 32-bit float nearest to 0.0001, which lies below', () => {
    expect(floatText(Math.fround(0.0001))).to.equal('1e-04')
    expect(floatText(0.0001)).to.equal('1e-04')
    expect(floatText(bits(0x38d1b718))).to.equal('0.000100000005')
  })

  it('writes an exponent from 1e16 on', () => {
    expect(floatText(1e16)).to.equal('1e+16')
    expect(floatText(Math.fround(9.9e15))).to.equal('9900000000000000.0')
    expect(floatText(Math.fround(1e30))).to.equal('1e+30')
    expect(floatText(bits(0x7f7fffff))).to.equal('3.4028235e+38')
  })

  it('chooses the even text in a tie', () => {
    expect(floatText(2 ** -12)).to.equal('0.00024414062')
  })

  it('finds the shortest text of a power of two, below which floats lie closer together', () => {
    expect(floatText(2 ** -96)).to.equal('1.2621775e-29')
  })

  it('rounds a 64-bit float to the nearest 32-bit float', () => {
    expect(floatText(0.1 + 0.2)).to.equal('0.3')
    expect(floatText(0.93456)).to.equal('0.93456')
    expect(floatText(1e-60)).to.equal('0.0')
  })

  it('keeps a sign', () => {
    expect([-1, -0.25, -1e-8].map(floatText)).to.deep.equal(['-1.0', '-0.25', '-1e-08'])
  })

  it('gives for any number from 0 to 1 the shortest text that parses back to the same float', () => {
    const random = seeded(7)
    const one = 0x3f800000
    for (let i = 0; i < 10_000; i++) {
      const value = bits(Math.floor(random() * (one + 1)))
      const text = floatText(value)
      expect(text).to.match(/^(\d\.\d+|\d(\.\d+)?e-\d\d)$/)
      expect(Math.fround(Number(text)), text).to.equal(value)
      for (const shorter of shortened(text)) expect(Math.fround(Number(shorter)), text).not.to.equal(value)
    }
  })
})

function bits(pattern: number): number {
  return new Float32Array(Uint32Array.of(pattern).buffer)[0] ?? Number.NaN
}

/** Both neighbours with one digit less. */
function shortened(text: string): string[] {
  const [mantissa = '', exponent = '0'] = text.split('e')
  const [whole = '', fraction = ''] = mantissa.split('.')
  const digits = `${whole}${fraction}`.replace(/^0+/, '').replace(/0+$/, '')
  if (digits.length < 2) return []
  const scale =
    Number(exponent) -
    fraction.length +
    (`${whole}${fraction}`.length - `${whole}${fraction}`.replace(/0+$/, '').length)
  const below = Number(digits.slice(0, -1))
  return [`${below}e${scale + 1}`, `${below + 1}e${scale + 1}`]
}

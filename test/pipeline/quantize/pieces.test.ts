import { expect } from 'chai'
import { AgreementMeter, decibelsOf } from '../../../pipeline/quantize/agreement.ts'
import { byteColumns, byteRows } from '../../../pipeline/quantize/byte-weights.ts'
import { Histogram } from '../../../pipeline/quantize/histogram.ts'
import { Covariance } from '../../../pipeline/quantize/patches.ts'
import { mostByte } from '../../../pipeline/quantize/quantized.ts'
import { numbersOf, rangeOf, scaleOf } from '../../../pipeline/quantize/ranges.ts'
import { passingFor, roundRow } from '../../../pipeline/quantize/round-rows.ts'
import { hash } from '../../support/synthetic.ts'

const even = (seed: number, i: number): number => hash(seed, i) / 2 ** 31 - 1

describe('a histogram of a tensor', () => {
  it('doubles its range for larger numbers, keeps the counts, and takes no more memory', () => {
    const histogram = new Histogram(2, 8)
    histogram.add(Float32Array.of(0, 0.1, 0.5, 1, 0, 0, 0.9, 1))
    histogram.add(Float32Array.of(7, 0.1, -3, 1, 0, 0, 0, 0))
    expect([histogram.range, histogram.images, histogram.bins]).to.deep.equal([8, 2, 8])
    expect([histogram.count(0), histogram.count(1)]).to.deep.equal([8, 8])
    expect([histogram.least(0), histogram.most(0), histogram.most(1)]).to.deep.equal([-3, 7, 1])
    expect(histogram.mean(0)).to.be.closeTo((0.1 + 0.5 + 1 + 7 + 0.1 - 3 + 1) / 8, 1e-6)
    const times = [...histogram.entries(0)].reduce((sum, [, count]) => sum + count, 0)
    expect(times).to.equal(7)
    const [, largest] = [...histogram.entries(0)].map(([value]) => value).sort((a, b) => b - a)
    expect(largest).to.be.lessThan(2)
  })
})

describe('the range of a tensor', () => {
  const histogram = new Histogram(1, 512)
  // A hundred thousand numbers up to 1, and one of 40.
  histogram.add(Float32Array.from({ length: 100_001 }, (_, i) => (i === 0 ? 40 : Math.abs(even(1, i)))))

  it('leaves out what is too rare to be worth coarser steps', () => {
    expect(rangeOf(numbersOf(histogram), 'minmax')).to.deep.equal({ least: 0, most: 40 })
    const { least, most } = rangeOf(numbersOf(histogram), 'squares')
    expect(least).to.equal(0)
    expect(most).to.be.lessThan(39)
  })

  it('has zero as a byte of its own', () => {
    for (const [least, most] of [
      [0, 6],
      [-1, 1],
      [-0.3, 2.7],
    ] as const) {
      const { scale, zero } = scaleOf({ least, most })
      expect(Number.isInteger(zero)).to.equal(true)
      expect(-zero * scale).to.be.closeTo(least, scale / 2 + 1e-6)
    }
  })
})

describe('weights as bytes', () => {
  // One weight is far larger than all others.
  const row = Float32Array.from({ length: 400 }, (_, i) => (i === 7 ? 1.6 : even(2, i)))
  const errorOf = ({ bytes, scales }: { bytes: Int8Array; scales: Float32Array }) =>
    row.reduce((sum, weight, i) => sum + (weight - (bytes[i] ?? 0) * (scales[0] ?? 0)) ** 2, 0)

  it('have a smaller squared error than with the scale of the largest weight', () => {
    // With few steps, one large weight costs the others much.
    for (const bytesOf of [byteRows, byteColumns]) {
      expect(errorOf(bytesOf(row, 1, 'squares', 7))).to.be.lessThan(
        0.9 * errorOf(bytesOf(row, 1, 'minmax', 7)),
      )
    }
  })

  it('stay within 7 bits for CPUs that would overflow', () => {
    for (const weights of [byteRows(row, 1, 'squares', 63), byteColumns(row, 1, 'minmax', 63)]) {
      expect(Math.max(...weights.bytes.map(Math.abs))).to.equal(63)
    }
    expect(mostByte('x64-avx2')).to.equal(63)
    expect(mostByte('x64-avx512-vnni')).to.equal(127)
    expect(mostByte('arm64-asimd')).to.equal(127)
  })

  it('of a row are rounded so that the errors make up for each other where the inputs vary together', () => {
    const shape = {
      groups: 1,
      inputs: 6,
      kernel: [1, 1],
      strides: [1, 1],
      dilations: [1, 1],
      pads: [0, 0],
      size: [8, 8],
    } as const
    const covariance = new Covariance(shape)
    // Six channels that are nearly the same.
    const images = Array.from({ length: 10 }, (_, at) =>
      Float32Array.from({ length: 6 * 64 }, (_, i) => even(at, i % 64) + 0.02 * even(at + 99, i)),
    )
    expect(covariance.isReliable).to.equal(false)
    for (const image of images) covariance.add(image, [6, 8, 8])
    expect(covariance.isReliable).to.equal(true)
    const matrix = covariance.matrix(0, new Float64Array(6).fill(1))
    const scale = 0.1
    const passing = passingFor(matrix)
    if (!passing) throw new Error('the inputs do not vary')
    const error = (weights: Float64Array, rounded: ArrayLike<number>) => {
      const wrong = weights.map((weight, i) => weight - (rounded[i] ?? 0) * scale)
      return wrong.reduce(
        (sum, a, i) => sum + wrong.reduce((all, b, j) => all + a * b * (matrix[i * 6 + j] ?? 0), 0),
        0,
      )
    }
    let [passed, nearest] = [0, 0]
    for (let row = 0; row < 40; row++) {
      const weights = Float64Array.from({ length: 6 }, (_, i) => even(row, i))
      const bytes = new Int8Array(6)
      roundRow(weights, scale, passing, { bytes, most: 127 })
      passed += error(weights, bytes)
      nearest += error(
        weights,
        weights.map((weight) => Math.round(weight / scale)),
      )
    }
    expect(passed).to.be.lessThan(nearest / 2)
  })

  it('are rounded alone where the inputs do not vary', () => {
    expect(passingFor(new Float64Array(9))).to.equal(undefined)
  })
})

describe('the agreement of two models', () => {
  it('counts best classes, and shows the largest difference', () => {
    const meter = new AgreementMeter()
    meter.add(Float32Array.of(0.7, 0.2, 0.1), Float32Array.of(0.6, 0.3, 0.1))
    meter.add(Float32Array.of(0.7, 0.2, 0.1), Float32Array.of(0.3, 0.6, 0.1))
    const { images, top1, top5, difference } = meter.get()
    expect([images, top1, top5]).to.deep.equal([2, 0.5, 1])
    expect(difference).to.be.closeTo(0.4, 1e-6)
  })

  it('expects less of pictures whose two best classes are close than counting a few would', () => {
    const [close, far] = [new AgreementMeter(), new AgreementMeter()]
    for (let i = 0; i < 10; i++) {
      const noise = [even(i, 1), even(i, 2), even(i, 3)].map((value) => value * 0.5)
      const shifted = (values: number[]) => Float32Array.from(values, (value, at) => value + (noise[at] ?? 0))
      close.add(Float32Array.of(3, 2.8, 0), shifted([3, 2.8, 0]))
      far.add(Float32Array.of(9, 2.8, 0), shifted([9, 2.8, 0]))
    }
    expect(close.get().expected).to.be.within(0.55, 0.9)
    expect(far.get().expected).to.be.greaterThan(0.999)
  })

  it('hides no number that is missing', () => {
    const meter = new AgreementMeter()
    meter.add(Float32Array.of(0.7, 0.3), Float32Array.of(0.7, Number.NaN))
    expect(meter.get().difference).to.be.NaN
  })

  it('has no end of decibels for equal answers', () => {
    expect(decibelsOf(0)).to.equal(120)
    expect(decibelsOf(0.001)).to.be.closeTo(30, 1e-9)
  })
})

import { expect } from 'chai'
import { PictureSample } from '../../../pipeline/quantize/picture-sample.ts'

const MIB = 2 ** 20

/** A picture of so many bytes that has its number in it. */
function picture(number: number, bytes = 16): Uint8Array {
  const pixels = new Uint8Array(bytes)
  new DataView(pixels.buffer).setUint32(0, number)
  return pixels
}

function sampleOf(numbers: Iterable<number>, bytes?: number): PictureSample {
  const sample = new PictureSample()
  for (const number of numbers) sample.add(picture(number, bytes))
  return sample
}

async function numbersIn({ pictures }: PictureSample): Promise<number[]> {
  const numbers: number[] = []
  for (let at = 0; at < pictures.count; at++) {
    const pixels = await pictures.read(at)
    numbers.push(new DataView(pixels.buffer, pixels.byteOffset).getUint32(0))
  }
  return numbers
}

function* upTo(end: number): Iterable<number> {
  for (let number = 0; number < end; number++) yield number
}

describe('a sample of pictures', () => {
  it('holds each picture once', async () => {
    const sample = sampleOf([1, 2, 1, 1, 3, 2])
    expect(await numbersIn(sample)).to.deep.equal([1, 2, 3])
    expect(sample.size).to.equal(3)
  })

  it('holds 128 pictures at most, from all that were added', async () => {
    const numbers = await numbersIn(sampleOf(upTo(5_000)))
    expect(numbers).to.have.length(128)
    expect(new Set(numbers).size).to.equal(128)
    // About half; fewer than a quarter of 128 does not happen by chance.
    expect(numbers.filter((number) => number >= 2_500).length).to.be.within(32, 96)
  })

  it('takes a picture again that has left', async () => {
    const sample = sampleOf(upTo(128))
    const before = await numbersIn(sample)
    // A place is free for a picture only if its old digest was forgotten.
    for (let round = 0; round < 200; round++) for (const number of upTo(256)) sample.add(picture(number))
    const numbers = await numbersIn(sample)
    expect(new Set(numbers).size).to.equal(128)
    expect(numbers).not.to.deep.equal(before)
    expect(numbers.some((number) => number < 128)).to.equal(true)
  })

  it('holds 32 MiB at most', () => {
    expect(sampleOf(upTo(40), MIB).size).to.equal(32)
  })

  it('keeps a copy', async () => {
    const sample = new PictureSample()
    const pixels = picture(7)
    sample.add(pixels)
    pixels.fill(255)
    expect(await numbersIn(sample)).to.deep.equal([7])
  })

  it('is handed on in parts, each within a number of bytes, but with one picture at least', () => {
    const sample = sampleOf(upTo(5), MIB)
    const counts = (bytes: number) => [0, 2, 4, 5].map((from) => sample.part(from, bytes).length)
    expect(counts(2 * MIB)).to.deep.equal([2, 2, 1, 0])
    expect(counts(MIB / 2)).to.deep.equal([1, 1, 1, 0])
  })

  it('has no picture beyond its last', async () => {
    const error = await sampleOf([1])
      .pictures.read(1)
      .catch((reason: unknown) => reason)
    expect(error).to.be.instanceOf(RangeError)
  })
})

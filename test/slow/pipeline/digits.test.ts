import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import sharp from 'sharp'
import { madeClassifier } from '../../support/classifier.ts'
import { claimedAccuracy, encoded, validationDigits } from '../../support/digits.ts'
import { describeWithShared } from '../../support/shared.ts'

const FOLDER = fileURLToPath(new URL('../../../weights/digits', import.meta.url))

describeWithShared('The digit model on digits that it was not trained on', () => {
  const digits = validationDigitsOnce()
  let pipeline: Awaited<ReturnType<typeof madeClassifier>>
  before(async () => {
    pipeline = await madeClassifier({ model: 'digits' })
  })
  after(async () => {
    await pipeline.close()
  })

  /** How many of a hundred, every n-th of them being looked at. */
  async function accuracy(every: number, make: (pixels: Uint8Array, at: number) => Promise<Uint8Array>) {
    const some = digits().filter((_, at) => at % every === 0)
    const batch = await Promise.all(
      some.map(async ({ pixels }, at) => pipeline.prepare(await make(pixels, at))),
    )
    return percent(some, await pipeline.predict(batch))
  }

  it('is as accurate on raw pixels as its card says', async () => {
    const batch = digits().map(({ pixels }) => ({ pixels, top: 1 }))
    const measured = percent(digits(), await pipeline.predict(batch))
    expect(measured).to.be.at.least(99)
    expect(measured).to.be.closeTo(claimedAccuracy(readFileSync(join(FOLDER, 'README.md'), 'utf8')), 0.1)
  })

  it('is as accurate on image files, also with dark ink on light paper', async () => {
    const batch = digits().filter((_, at) => at % 4 === 0)
    const raw = percent(batch, await pipeline.predict(batch.map(({ pixels }) => ({ pixels, top: 1 }))))
    expect(await accuracy(4, (pixels) => encoded(pixels))).to.be.closeTo(raw, 0.1)
    expect(await accuracy(4, (pixels) => encoded(pixels.map((level) => 255 - level)))).to.be.closeTo(raw, 0.1)
  })

  for (const [paper, ink] of [
    [255, 0],
    [200, 150],
    [20, 120],
  ] as const) {
    it(`is as accurate somewhere on a larger picture, ink ${ink} on paper ${paper}`, async () => {
      expect(await accuracy(8, (pixels, at) => onLarger(pixels, at, paper, ink))).to.be.at.least(98)
    })
  }
})

function percent(digits: readonly { label: number }[], answers: readonly { index: number }[][]): number {
  const right = digits.filter(({ label }, at) => answers[at]?.[0]?.index === label)
  return (100 * right.length) / digits.length
}

function validationDigitsOnce(): () => ReturnType<typeof validationDigits> {
  let digits: ReturnType<typeof validationDigits> | undefined
  return () => {
    digits ??= validationDigits()
    return digits
  }
}

/** From half to three times its size, and anywhere. */
async function onLarger(pixels: Uint8Array, at: number, paper: number, ink: number): Promise<Uint8Array> {
  const size = 20 + ((at * 37) % 64)
  const digit = sharp(
    pixels.map((level) => Math.round(paper + ((ink - paper) * level) / 255)),
    {
      raw: { width: 28, height: 28, channels: 1 },
    },
  ).resize(size, size)
  const [left, top] = [(at * 53) % (160 - size), (at * 71) % (100 - size)]
  const right = 160 - size - left
  const bottom = 100 - size - top
  const background = { r: paper, g: paper, b: paper }
  return digit.extend({ left, top, right, bottom, background }).png({ compressionLevel: 1 }).toBuffer()
}

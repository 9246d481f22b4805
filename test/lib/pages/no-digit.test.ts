import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import sharp from 'sharp'
import { type Guess, NO_DIGIT, readingOf } from '../../../public/digit-words.js'
import { browserOfSuite, describeInBrowser, screenshot } from '../../support/browser.ts'
import { encoded, validationDigits } from '../../support/digits.ts'
import { drawOn } from '../../support/pad.ts'
import { type Service, startService } from '../../support/service.ts'
import { itWithShared } from '../../support/shared.ts'

const PUBLIC = new URL('../../../public/', import.meta.url)
const inPublic = (name: string) => readFileSync(fileURLToPath(new URL(name, PUBLIC)))
const PICTURES: Readonly<Record<string, () => Promise<Buffer>>> = {
  'a photograph of a cat': async () => inPublic('examples/cat.jpg'),
  'a photograph of a cup': async () => inPublic('examples/coffee.jpg'),
  'a photograph of a rocket': async () => inPublic('examples/rocket.jpg'),
  'an empty sheet of paper': () =>
    sharp({ create: { width: 280, height: 280, channels: 3, background: '#fff' } })
      .png()
      .toBuffer(),
}
/** Takes every eighth validation digit: all 1,000 would take as long as a whole suite. */
const EVERY = 8

describeInBrowser('The page for digits, with a picture or drawing that is not a digit', function () {
  this.slow(3000)
  const open = browserOfSuite()
  let service: Service

  before(async () => {
    service = await startService({ MODELS: 'digits', DEVICE: 'cpu' })
    await service.ready()
  })
  after(() => service.stop())

  for (const [what, bytes] of Object.entries(PICTURES)) {
    for (const javaScript of [true, false]) {
      it(`finds no digit on ${what}, ${javaScript ? 'with' : 'without'} JavaScript`, async () => {
        const { page } = await open({ javaScript })
        await page.goto(`${service.url}/digits`)
        const file = { name: 'picture.png', mimeType: 'image/png', buffer: await bytes() }
        await page.locator('#file').setInputFiles(file)
        if (!javaScript) await page.getByRole('button', { name: 'Read the digit' }).click()
        await page.locator('#best-share', { hasText: NO_DIGIT }).waitFor()
        expect(await page.locator('#best').textContent()).to.equal('?')
        expect(await page.locator('#bars .is-best').count()).to.equal(0)
        // The probabilities stay visible, and the user can report the right digit.
        expect(await page.locator('.bars-share').first().textContent()).to.match(/%$/)
        expect(await page.locator('#wrong').isVisible()).to.equal(true)
        if (!javaScript) expect(await page.title()).to.equal(`${NO_DIGIT} · Tandem`)
        await screenshot(page, `digits-none-${javaScript ? 'script' : 'no-script'}`)
      })
    }
  }

  it('shows and announces that a drawing is not a digit, and then the digit that the drawing becomes', async () => {
    const { page } = await open()
    await page.goto(`${service.url}/digits`)
    await drawOn(page, [
      [0.2, 0.5],
      [0.8, 0.5],
    ])
    await page.locator('#best-share', { hasText: NO_DIGIT }).waitFor()
    await page.locator('#said', { hasText: NO_DIGIT }).waitFor({ state: 'attached' })
    await drawOn(page, [
      [0.8, 0.5],
      [0.5, 0.95],
    ])
    await page.locator('#best', { hasText: '7' }).waitFor()
    await page.locator('#said', { hasText: 'It reads 7, ' }).waitFor({ state: 'attached' })
  })

  itWithShared('reads at least 98 of 100 real digits', async function () {
    this.timeout(60_000)
    const digits = validationDigits().filter((_, at) => at % EVERY === 0)
    let read = 0
    for (const { pixels } of digits) {
      const body = new Uint8Array(await encoded(pixels))
      const response = await fetch(`${service.url}/digits`, { method: 'POST', body })
      const { predictions } = (await response.json()) as { predictions: Guess[] }
      if (readingOf(predictions).digit !== undefined) read++
    }
    expect(read / digits.length).to.be.at.least(0.98)
  })
})

describe('The reading of a digit', () => {
  const guesses = (best: number): Guess[] => [
    { label: '4', name: '4', probability: best },
    { label: '9', name: '9', probability: 1 - best },
  ]

  it('is the best guess from a probability of 0.75 on', () => {
    expect(readingOf(guesses(0.75))).to.deep.equal({ digit: '4', word: '75.0 %' })
    expect(readingOf(guesses(0.749))).to.deep.equal({ digit: undefined, word: NO_DIGIT })
  })

  it('is missing when there is no guess', () => {
    expect(readingOf([])).to.deep.equal({ digit: undefined, word: NO_DIGIT })
  })
})

import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import {
  browserOfSuite,
  describeInBrowser,
  expectNoFlaws,
  type Page,
  screenshot,
  WIDTHS,
} from '../../support/browser.ts'
import { expectGoodLooks, expectLittleWeight } from '../../support/page-checks.ts'
import { HOSTILE_LABEL, smallService } from '../../support/small-service.ts'

const EXAMPLES = ['cat', 'coffee', 'rocket'].map((name) =>
  fileURLToPath(new URL(`../../../public/examples/${name}.jpg`, import.meta.url)),
)

/** How a user gets to each page. */
const PAGES: Readonly<Record<string, (page: Page, url: string) => Promise<unknown>>> = {
  home: (page, url) => page.goto(url),
  model: (page, url) => page.goto(`${url}/hostile`),
  results: async (page, url) => {
    await page.goto(`${url}/hostile`)
    const notes = { name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('x') }
    await page.setInputFiles('#file[multiple]', EXAMPLES)
    await page.setInputFiles('#file[multiple]', [notes])
    await page.locator('.is-done').nth(2).waitFor()
    await page.locator('.is-failed').waitFor()
    await page.locator('[data-do="report"]:visible').first().click()
  },
  upload: async (page, url) => {
    await page.goto(url)
    await page.setInputFiles('[name="file"]', EXAMPLES[0] ?? '')
    await page.click('main form button')
    await page.getByText('Predicted class').waitFor()
  },
  feedback: (page, url) => page.goto(`${url}/feedback`),
  docs: (page, url) => page.goto(`${url}/docs`),
  error: (page, url) => page.goto(`${url}/nothing/${encodeURIComponent(HOSTILE_LABEL)}`),
}

describeInBrowser('Every page', function () {
  this.slow(5000)
  const running = smallService()
  const open = browserOfSuite()

  for (const [name, go] of Object.entries(PAGES)) {
    for (const width of WIDTHS) {
      it(`${name} is accessible, fits the window, logs nothing, and has at most 60 KB beside pictures: ${width} px, light and dark`, async () => {
        const watched = await open({ width })
        const { page } = watched
        const expectLight = expectLittleWeight(page)
        await go(page, running().url)
        await expectLight()
        await expectGoodLooks(watched, `${name}-${width}`, {
          // The page of the API is fifty screens high.
          fullPage: name !== 'docs',
          // The browser itself logs a page with 404 and a picture with 415.
          expected: /status of 4(04|15)/,
        })
      })
    }
  }

  it('shows bars and states when the user forces colours', async () => {
    const { page } = await open()
    await page.emulateMedia({ forcedColors: 'active' })
    await page.goto(`${running().url}/hostile`)
    const style = (selector: string, property: string) =>
      page.evaluate(`getComputedStyle(document.querySelector('${selector}')).${property}`)
    expect(await style('progress', 'borderTopWidth')).to.equal('1px')
    expect(await style('.pill', 'borderTopWidth')).to.equal('1px')
    await page.setInputFiles('#file[multiple]', EXAMPLES)
    await page.locator('.is-done').nth(2).waitFor()
    expect(await style('.stage', 'forcedColorAdjust')).to.equal('auto')
    const swatches = await page.evaluate<string[]>(
      "[...document.querySelectorAll('#cards li:first-child .stage')].map((stage) => getComputedStyle(stage, '::before').backgroundColor)",
    )
    expect(new Set(swatches).size).to.equal(3)
    await screenshot(page, 'results-forced-colours')
  })

  it('marks its entry in the navigation', async () => {
    const current = async (path: string) => {
      const page = await (await fetch(running().url + path)).text()
      return /<nav aria-label="Pages">.*?<a [^>]*aria-current="(\w+)">(\w+)</s.exec(page)?.slice(1)
    }
    expect(await current('/hostile')).to.deep.equal(['true', 'Classify'])
    expect(await current('/vgg')).to.deep.equal(['page', 'Classify'])
    expect(await current('/digits')).to.deep.equal(['page', 'Digits'])
    expect(await current('/docs')).to.deep.equal(['page', 'API'])
  })

  it('can be used with the keyboard, and shows the focus', async () => {
    const { page } = await open()
    await page.goto(`${running().url}/hostile`)
    const seen: string[] = []
    for (let i = 0; i < 16; i++) {
      await page.keyboard.press('Tab')
      const [what, outline] = await page.evaluate<[string, string]>(
        '[document.activeElement.textContent.trim() || document.activeElement.id, getComputedStyle(document.activeElement).outlineStyle]',
      )
      expect(outline, what).not.to.equal('none')
      seen.push(what)
    }
    expect(seen).to.include.members([
      'Skip to the content',
      'Status',
      'Choose pictures',
      'url',
      'Classify',
      'Cat',
    ])
  })

  it('has no animations when the user wants reduced motion', async () => {
    const { page } = await open()
    await page.emulateMedia({ reducedMotion: 'reduce' })
    await page.goto(`${running().url}/hostile`)
    await page.setInputFiles('#file[multiple]', EXAMPLES)
    await page.locator('.is-done').nth(2).waitFor()
    expect(await page.evaluate('document.getAnimations().length')).to.equal(0)
  })

  it('copies a block of code by a button', async () => {
    const watched = await open()
    await watched.page.goto(running().url)
    await watched.page.getByRole('button', { name: 'Copy: Command for vision-service' }).click()
    await watched.page.getByText('Copied', { exact: true }).first().waitFor()
    const copied = await watched.page.evaluate('navigator.clipboard.readText()')
    expect(copied).to.equal(`curl -F image=@photo.jpg ${running().url}/api/predict`)
    await expectNoFlaws(watched)
  })
})

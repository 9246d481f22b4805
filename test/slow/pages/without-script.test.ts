import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import {
  browserOfSuite,
  describeInBrowser,
  expectNoFlaws,
  screenshot,
  WIDTHS,
} from '../../support/browser.ts'
import { scripted, startService, until } from '../../support/service.ts'
import { HOSTILE_LABEL, smallService } from '../../support/small-service.ts'

const CAT = fileURLToPath(new URL('../../../public/examples/cat.jpg', import.meta.url))
const SEND = '#send'

describeInBrowser('The pages, without JavaScript', function () {
  this.slow(3000)
  const running = smallService()
  const open = browserOfSuite()

  const visit = async (path: string, width = 1280) => {
    const watched = await open({ width, javaScript: false })
    await watched.page.goto(running().url + path)
    return watched
  }

  for (const width of WIDTHS) {
    it(`answer a chosen file at ${width} px with the picture, bars and timing, and take a report`, async () => {
      const watched = await visit('/hostile', width)
      const { page } = watched
      await page.setInputFiles('#file', CAT)
      await page.click(SEND)
      expect(await page.locator('.result-picture img').getAttribute('src')).to.match(
        /^\/uploads\/[0-9a-f]{32}\.jpg$/,
      )
      expect(await page.locator('.result .guess').count()).to.equal(5)
      expect(await page.locator('.guess-label').first().textContent()).to.contain(HOSTILE_LABEL)
      expect(await page.locator('.timing').textContent()).to.match(/queue .+prepare .+predict .+total/)
      await screenshot(page, `result-without-script-${width}`)
      await page.fill('[name="report"]', `a cat at ${width} px`)
      await page.click('.report button')
      expect(await page.locator('h1').textContent()).to.equal('Thanks for your feedback')
      const path = `${running().feedbackDir}/feedback.csv`
      await until(() => readFileSync(path, 'utf8').includes(`a cat at ${width} px`), 'the record')
      await expectNoFlaws(watched)
    })
  }

  it('show a picture from a URL, and keep the URL in the form', async () => {
    const watched = await visit('/hostile')
    const address = running().offer(readFileSync(CAT))
    await watched.page.fill('#url', address)
    await watched.page.click(SEND)
    expect(await watched.page.locator('.result-name').textContent()).to.equal(address)
    expect(await watched.page.inputValue('#url')).to.equal(address)
    await expectNoFlaws(watched)
  })

  it('show an error on the form, with the right status and the entered URL', async () => {
    const { page } = await visit('/hostile')
    await page.fill('#url', 'ftp://example.com/"><script>alert(1)</script>')
    const [response] = await Promise.all([page.waitForNavigation(), page.click(SEND)])
    expect(response?.status()).to.equal(400)
    expect(response?.headers()['x-error-code']).to.equal('ERR_URL_INVALID')
    expect(await page.locator('[role="alert"]:visible').textContent()).to.contain('ERR_URL_INVALID')
    expect(await page.inputValue('#url')).to.equal('ftp://example.com/"><script>alert(1)</script>')
  })

  it('say in plain words that no picture was sent', async () => {
    const { page } = await visit('/hostile')
    const [response] = await Promise.all([page.waitForNavigation(), page.click(SEND)])
    expect(response?.status()).to.equal(400)
    expect(await page.locator('[role="alert"]:visible').textContent()).to.contain('No picture was sent')
  })

  it('take the upload of the first page, and show its error once', async () => {
    const watched = await visit('/')
    const { page } = watched
    await page.click('main form button')
    expect(await page.locator('[role="alert"]').textContent()).to.equal('No image selected for uploading')
    await page.reload()
    expect(await page.locator('[role="alert"]').count()).to.equal(0)
    await page.setInputFiles('[name="file"]', CAT)
    await page.click('main form button')
    expect(await page.locator('dt').allTextContents()).to.include.members([
      'Predicted class',
      'Score',
      'Process time',
    ])
    expect(await page.locator('main img').getAttribute('src')).to.match(/^\/display\/[0-9a-f]{32}\.jpg$/)
    expect(await page.evaluate('document.querySelector("main img").naturalWidth')).to.equal(320)
    await page.fill('[name="report"]', 'a cat')
    await page.getByRole('button', { name: 'Report incorrect answer' }).click()
    expect(await page.locator('h1').textContent()).to.equal('Thanks for your feedback')
    await expectNoFlaws(watched)
  })
})

describeInBrowser('The page of a model that is loading, without JavaScript', () => {
  const open = browserOfSuite()

  it('shows the progress, and answers a picture with 503 on the form', async () => {
    const service = await startService(scripted({ startWord: 'downloading 34 % of 553 MB', startMs: 20_000 }))
    const { page } = await open({ javaScript: false })
    const path = `${service.url}/model`
    await until(async () => (await (await fetch(path)).text()).includes('34 %'), 'the progress')
    await page.goto(path)
    expect(await page.locator('#loading').textContent()).to.contain('downloading 34 % of 553 MB')
    expect(await page.locator('#loading progress').getAttribute('value')).to.equal('0.5')
    await page.setInputFiles('#file', CAT)
    const [response] = await Promise.all([page.waitForNavigation(), page.click(SEND)])
    expect(response?.status()).to.equal(503)
    expect(await page.locator('[role="alert"]:visible').textContent()).to.contain('not ready yet')
    service.kill('SIGKILL')
  })
})

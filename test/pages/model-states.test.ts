import { networkInterfaces } from 'node:os'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import type { Script } from '../fixtures/pipelines/scripted.ts'
import { barriers, browserOfSuite, describeInBrowser, screenshot, type Watched } from '../support/browser.ts'
import { type Service, scripted, startService } from '../support/service.ts'

const EXAMPLES = new URL('../../public/examples/', import.meta.url)
const CAT = fileURLToPath(new URL('cat.jpg', EXAMPLES))
const COFFEE = fileURLToPath(new URL('coffee.jpg', EXAMPLES))
const GUESS = { index: 3, label: 'cat', name: 'cat', full: 'cat', probability: 0.75 }
const KEY = 'a-key-of-more-than-16-letters'

const start = (script: Script, env: Record<string, string> = {}) =>
  startService({ ...scripted({ answer: [GUESS], ...script }), ...env })
const text = ({ page }: Watched, selector: string) => page.locator(selector).first().textContent()

describeInBrowser('The page of a model that is not ready', function () {
  this.slow(5000)
  const open = browserOfSuite()
  let service: Service

  afterEach(() => service.kill('SIGKILL'))

  const visit = async (script: Script) => {
    service = await start(script)
    const watched = await open()
    await watched.page.goto(`${service.url}/model`)
    return watched
  }

  it('shows how far it is, sends by itself what waits for it, and then asks no more', async () => {
    const watched = await visit({ startWord: 'compiling 12 of 16 layers', startMs: 2500 })
    const { page } = watched
    await page.getByText('compiling 12 of 16 layers').waitFor()
    await page.setInputFiles('#file', CAT)
    await page.getByText('waiting for the model').waitFor()
    await screenshot(page, 'model-loading-1280-light')
    expect(await barriers(page)).to.deep.equal([])
    await page.locator('.is-done').waitFor()
    expect(await text(watched, '#state')).to.equal('ready')
    expect(await page.locator('#loading').isVisible()).to.equal(false)
    expect(await text(watched, '#said')).to.contain('model is ready')
    // A browser complains about each 503 of /readyz; there is nothing else.
    expect(watched.complaints.filter((line) => !line.includes('503'))).to.deep.equal([])
    let asked = 0
    page.on('request', () => asked++)
    await page.waitForTimeout(1200)
    expect(asked).to.equal(0)
  })

  it('says at once why it does not start, and what to do in the end', async () => {
    const sentence = 'There is no file vgg16.h5; "npm run weights vgg16" fetches it.'
    const watched = await visit({ failStart: sentence })
    const { page } = watched
    await page.getByText('model is being started again').waitFor({ timeout: 15_000 })
    expect(await text(watched, '#loading-word')).to.equal(sentence)
    // A broker gives up after eight deaths and a quarter of a minute; the page is told so here.
    const failed = { state: 'failed', progress: null, error: { code: 'ERR_MODEL_LOAD', message: sentence } }
    await page.route('**/readyz', (route) => route.fulfill({ json: { models: { model: failed } } }))
    await page.getByText('model could not be loaded').waitFor()
    expect(await text(watched, '#loading-word'))
      .to.contain(sentence)
      .and.to.contain('tried again')
    await screenshot(page, 'model-failed-1280-light')
    expect(await barriers(page)).to.deep.equal([])
  })
})

describeInBrowser('The page of a model that is slow', function () {
  this.slow(5000)
  const open = browserOfSuite()
  let service: Service

  before(async () => {
    service = await start({ predictMs: 400 }, { MAX_BATCH: '1', MAX_QUEUE: '2' })
    await service.ready()
  })
  after(() => service.kill('SIGKILL'))

  it('shows the place of each picture, and tries again when the service is busy', async () => {
    const { page } = await open()
    await page.goto(`${service.url}/model`)
    await page.setInputFiles('#file', [CAT, COFFEE, CAT, COFFEE, CAT, COFFEE])
    await page.getByText('waiting for its turn').first().waitFor()
    await page.getByText('predicting').first().waitFor()
    await page.getByText('queued, at position').first().waitFor()
    await screenshot(page, 'model-queue-1280-light')
    await page.locator('.is-done').nth(5).waitFor({ timeout: 15_000 })
  })

  it('takes back what is removed before it has its answer', async () => {
    const { page } = await open()
    await page.goto(`${service.url}/model`)
    await page.setInputFiles('#file', [CAT, COFFEE])
    await page.getByRole('button', { name: 'Remove cat.jpg' }).click()
    await page.locator('.is-done').waitFor()
    expect(await page.locator('.result-name').allTextContents()).to.deep.equal(['coffee.jpg'])
  })

  it('says that the service is gone', async () => {
    const { page } = await open()
    await page.goto(`${service.url}/model`)
    service.kill('SIGKILL')
    await service.exit
    await page.setInputFiles('#file', CAT)
    await page.locator('.is-failed').waitFor()
    expect(await page.locator('[data-part="state"]').textContent()).to.contain('does not answer')
  })
})

describeInBrowser('The page of a model of a service with keys', function () {
  this.slow(5000)
  const open = browserOfSuite()
  let service: Service

  before(async () => {
    service = await start({ answer: { mood: '<i>calm</i>' } }, { API_KEYS: KEY })
    await service.ready()
  })
  after(() => service.kill('SIGKILL'))

  it('asks for one, keeps it in the tab, and shows whatever the pipeline answers', async () => {
    const { page } = await open()
    await page.goto(`${service.url}/model`)
    await page.setInputFiles('#file', CAT)
    await page.locator('#key-dialog').waitFor()
    await screenshot(page, 'model-key-1280-light', false)
    expect(await barriers(page)).to.deep.equal([])
    await page.fill('#key', 'a-wrong-key-of-20-letters')
    await page.keyboard.press('Enter')
    await page.getByText('The key is none of those').waitFor()
    await page.fill('#key', KEY)
    await page.keyboard.press('Enter')
    await page.locator('.is-done').waitFor()
    await page.setInputFiles('#file', COFFEE)
    await page.locator('.is-done').nth(1).waitFor()
    expect(await page.evaluate('sessionStorage.getItem("tandem-key")')).to.equal(KEY)
    expect(await page.locator('.is-done pre').first().textContent()).to.contain('<i>calm</i>')
  })

  it('says why nothing was classified when none is given', async () => {
    const { page } = await open()
    await page.goto(`${service.url}/model`)
    await page.setInputFiles('#file', CAT)
    await page.locator('#key-dialog').waitFor()
    await page.keyboard.press('Escape')
    await page.locator('.is-failed').waitFor()
    expect(await page.locator('[data-part="state"]').textContent()).to.contain('needs a key')
  })
})

describeInBrowser('The page of a model, over plain http from another machine', function () {
  this.slow(5000)
  const open = browserOfSuite()
  const addresses = Object.values(networkInterfaces()).flatMap((all) => all ?? [])
  const outside = addresses.find(({ family, internal }) => family === 'IPv4' && !internal)?.address

  it('works and keeps the console empty, though browsers grant it neither camera nor clipboard', async function () {
    if (outside === undefined) this.skip()
    const service = await start({}, { HOST: '0.0.0.0' })
    await service.ready()
    const { page, complaints } = await open()
    await page.goto(`http://${outside}:${new URL(service.url).port}/model`)
    await page.setInputFiles('#file', CAT)
    await page.locator('.is-done').waitFor()
    expect(await page.locator('#camera').isVisible()).to.equal(false)
    await page.click('[data-do="curl"]')
    await page.getByText('Copied', { exact: true }).first().waitFor()
    expect(complaints).to.deep.equal([])
    service.kill('SIGKILL')
  })
})

import { networkInterfaces } from 'node:os'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import type { Script } from '../../fixtures/pipelines/scripted.ts'
import {
  barriers,
  browserOfSuite,
  describeInBrowser,
  screenshot,
  type Watched,
} from '../../support/browser.ts'
import { type Service, scripted, startService } from '../../support/service.ts'

const EXAMPLES = new URL('../../../public/examples/', import.meta.url)
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

  it('shows the progress, sends waiting pictures when the model is ready, and then asks seldom', async () => {
    const watched = await visit({ startWord: 'compiling 12 of 16 layers', startMs: 2500 })
    const { page } = watched
    await page.getByText('compiling 12 of 16 layers').waitFor()
    await page.setInputFiles('#file[multiple]', CAT)
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

  it('shows no progress bar while the model waits for its weights', async () => {
    const word = 'The network is gone. Next try in 9 s.'
    const watched = await visit({ startWord: word, startMs: 20_000 })
    const { page } = watched
    await page.getByText('model is waiting for its weights').waitFor()
    expect(await text(watched, '#loading-word')).to.equal(word)
    expect(await page.locator('#loading-bar').isVisible()).to.equal(false)
    await page.goto(service.url)
    await page.getByText(word).waitFor()
    expect(await page.locator('progress:visible').count()).to.equal(0)
  })

  it('offers another model once that is ready', async () => {
    const watched = await visit({ startWord: 'downloading', startMs: 20_000 })
    const { page } = watched
    // A pipeline of the user's own has no substitutes, so the answers of the service are changed.
    await page.route('**/model', async (route) => {
      const response = await route.fetch()
      const offer =
        '<p id="stand-in" data-models="one two" hidden>Meanwhile, <a href="/one">one</a> is ready to answer.</p>'
      const body = (await response.text()).replace('<progress', `${offer}<progress`)
      await route.fulfill({ response, body })
    })
    const states = { model: 'starting', one: 'starting', two: 'starting' }
    await page.route('**/readyz', (route) =>
      route.fulfill({
        json: {
          models: Object.fromEntries(
            Object.entries(states).map(([name, state]) => [name, { state, progress: null, error: null }]),
          ),
        },
      }),
    )
    await page.reload()
    expect(await page.locator('#stand-in').isVisible()).to.equal(false)
    states.two = 'ready'
    await page.locator('#stand-in').waitFor()
    expect(await text(watched, '#stand-in')).to.equal('Meanwhile, two is ready to answer.')
    expect(await page.locator('#stand-in a').getAttribute('href')).to.equal('/two')
  })

  it('says why a picture waits, and stops trying once the model has failed', async () => {
    const watched = await visit({ startMs: 1 })
    const { page } = watched
    await service.ready()
    await page.reload()
    const failed = {
      state: 'failed',
      progress: null,
      error: { code: 'ERR_MODEL_LOAD', message: 'It is broken.' },
    }
    let state: object = { state: 'restarting', progress: null, error: null }
    await page.route('**/readyz', (route) => route.fulfill({ json: { models: { model: state } } }))
    const error = { code: 'ERR_NOT_READY', message: 'The model is not ready yet: it is broken.' }
    let tries = 0
    await page.route('**/model', (route) => {
      tries++
      return route.fulfill({ status: 503, headers: { 'Retry-After': '1' }, json: { error } })
    })
    await page.setInputFiles('#file[multiple]', CAT)
    await page.getByText('it is broken. Next try in 1 s.').waitFor()
    state = failed
    await page.locator('.is-failed').waitFor()
    expect(await text(watched, '[data-part="state"]')).to.equal(error.message)
    expect(await page.locator('[data-do="again"]').isVisible()).to.equal(true)
    expect(tries).to.equal(2)
  })

  it('says why the model does not start, at once and after the last try', async () => {
    const sentence = 'There is no file vgg16.h5; "npm run weights vgg16" fetches it.'
    const watched = await visit({ failStart: sentence })
    const { page } = watched
    await page.getByText('model is restarting').waitFor({ timeout: 15_000 })
    expect(await text(watched, '#loading-word')).to.equal(sentence)
    // The broker would give up after eight deaths and a quarter of a minute; this answer saves the wait.
    const failed = { state: 'failed', progress: null, error: { code: 'ERR_MODEL_LOAD', message: sentence } }
    await page.route('**/readyz', (route) => route.fulfill({ json: { models: { model: failed } } }))
    await page.getByText('model could not be loaded').waitFor()
    expect(await text(watched, '#loading-word'))
      .to.contain(sentence)
      .and.to.contain('tries again')
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

  it('shows the position of each picture in the queue, and tries again when the service is busy', async () => {
    const { page } = await open()
    await page.goto(`${service.url}/model`)
    await page.setInputFiles('#file[multiple]', [CAT, COFFEE, CAT, COFFEE, CAT, COFFEE])
    await page.getByText('waiting', { exact: true }).first().waitFor()
    await page.getByText('predicting').first().waitFor()
    await page.getByText('queued, at position').first().waitFor()
    await screenshot(page, 'model-queue-1280-light')
    await page.locator('.is-done').nth(5).waitFor({ timeout: 15_000 })
  })

  it('drops a picture that the user removes before the answer', async () => {
    const { page } = await open()
    await page.goto(`${service.url}/model`)
    await page.setInputFiles('#file[multiple]', [CAT, COFFEE])
    await page.getByRole('button', { name: 'Remove cat.jpg' }).click()
    await page.locator('.is-done').waitFor()
    expect(await page.locator('.result-name').allTextContents()).to.deep.equal(['coffee.jpg'])
  })

  it('says that the service does not answer', async () => {
    const { page } = await open()
    await page.goto(`${service.url}/model`)
    service.kill('SIGKILL')
    await service.exit
    await page.setInputFiles('#file[multiple]', CAT)
    await page.getByText('waiting for the service').waitFor()
    await page.getByText('model is not reachable').waitFor()
    expect(await page.locator('#state').textContent()).to.equal('not reachable')
    await screenshot(page, 'model-unreachable-1280-light')
  })
})

describeInBrowser('A page of a service that stops and starts again', function () {
  this.slow(5000)
  const open = browserOfSuite()
  let service: Service

  before(async () => {
    const labels = [{ ...GUESS, label: 'a long label '.repeat(25) }]
    service = await start({ answer: labels })
    await service.ready()
  })
  after(() => service.kill('SIGKILL'))

  for (const path of ['/', '/model']) {
    it(`shows that the service is not reachable, and later that it is ready again: ${path}`, async () => {
      const { page } = await open()
      await page.clock.install()
      await page.goto(service.url + path)
      await page.locator('.pill-ready').waitFor()
      await page.route('**/readyz', (route) => route.abort())
      await page.clock.runFor(16_000)
      await page.locator('.pill-unreachable').waitFor()
      expect(await page.locator('.pill').textContent()).to.equal('not reachable')
      await page.unroute('**/readyz')
      // The failed request must reach the page before the page's clock goes on.
      await page.waitForTimeout(100)
      await page.clock.runFor(6000)
      await page.locator('.pill-ready').waitFor()
    })
  }

  it('cuts a long label after three lines', async () => {
    const { page } = await open({ width: 360 })
    await page.goto(`${service.url}/model`)
    await page.setInputFiles('#file[multiple]', CAT)
    await page.locator('.is-done').waitFor()
    const label = page.locator('.guess-label').first()
    expect((await label.boundingBox())?.height).to.be.within(40, 100)
    expect(await label.getAttribute('title')).to.have.length.above(300)
    await screenshot(page, 'model-long-label-360-light')
  })
})

describeInBrowser('The page of a model of a service with keys', function () {
  this.slow(5000)
  const open = browserOfSuite()
  let service: Service

  before(async () => {
    const models = scripted({ answer: { mood: '<i>calm</i>' } })
    const both = `${models.MODELS},${models.MODELS?.replace('model=', 'digits=')}`
    service = await startService({ ...models, MODELS: both, API_KEYS: KEY })
    await service.ready()
  })
  after(() => service.kill('SIGKILL'))

  it('asks for a key, keeps the key in the tab, and shows any answer of the pipeline', async () => {
    const { page } = await open()
    await page.goto(`${service.url}/model`)
    await page.setInputFiles('#file[multiple]', CAT)
    await page.locator('#key-dialog').waitFor()
    await screenshot(page, 'model-key-1280-light', false)
    expect(await barriers(page)).to.deep.equal([])
    await page.fill('#key', 'a-wrong-key-of-20-letters')
    await page.keyboard.press('Enter')
    await page.getByText('The key is not one of the accepted keys').waitFor()
    await page.fill('#key', KEY)
    await page.keyboard.press('Enter')
    await page.locator('.is-done').waitFor()
    await page.setInputFiles('#file[multiple]', COFFEE)
    await page.locator('.is-done').nth(1).waitFor()
    expect(await page.evaluate('sessionStorage.getItem("tandem-key")')).to.equal(KEY)
    expect(await page.locator('.is-done pre').first().textContent()).to.contain('<i>calm</i>')
  })

  it('is linked from the first page, whose form cannot send a key', async () => {
    const { page } = await open()
    await page.goto(service.url)
    expect(await page.locator('main form').count()).to.equal(0)
    await screenshot(page, 'home-key-1280-light')
    await page.getByRole('link', { name: 'Choose a picture' }).click()
    await page.setInputFiles('#file[multiple]', CAT)
    await page.locator('#key-dialog').waitFor()
  })

  for (const path of ['/', '/model', '/digits']) {
    it(`without JavaScript, says above the form that it cannot send a key, and shows a command that can: ${path}`, async () => {
      const { page } = await open({ javaScript: false, width: 360 })
      await page.goto(service.url + path)
      await page.getByText(/(only with|Without) JavaScript/).waitFor()
      const command = String(await page.getByRole('region', { name: 'Command with a key' }).textContent())
      expect(command).to.match(/^curl -H "X-Api-Key: \$API_KEY" --data-binary @\w+\.\w+ http:\S+$/)
      await screenshot(page, `key-no-script${path.replace('/', '-')}-360`)
      // The command of the first page may name another model than the others; each must accept the key.
      const address = command.slice(command.indexOf('http'))
      const ask = (headers: Record<string, string>) =>
        fetch(address, { method: 'POST', body: 'a picture', headers }).then(({ status }) => status)
      expect([await ask({}), await ask({ 'X-Api-Key': KEY })]).to.deep.equal([401, 200])
    })
  }

  it('says above the form that it will ask for a key', async () => {
    const { page } = await open()
    await page.goto(`${service.url}/model`)
    await page.getByText('The page asks for the key when you send the first picture').waitFor()
    expect(await page.getByText('only with JavaScript').isVisible()).to.equal(false)
    expect(await page.locator('.intake-curl code').textContent()).to.contain('-H "X-Api-Key: $API_KEY"')
    expect(await barriers(page)).to.deep.equal([])
  })

  it('says that a key is required when the user gives none', async () => {
    const { page } = await open()
    await page.goto(`${service.url}/model`)
    await page.setInputFiles('#file[multiple]', CAT)
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

  it('works and keeps the console empty, without the camera and the clipboard, which browsers refuse', async function () {
    if (outside === undefined) this.skip()
    const service = await start({}, { HOST: '0.0.0.0' })
    await service.ready()
    const { page, complaints } = await open()
    await page.goto(`http://${outside}:${new URL(service.url).port}/model`)
    await page.setInputFiles('#file[multiple]', CAT)
    await page.locator('.is-done').waitFor()
    expect(await page.locator('#camera').isVisible()).to.equal(false)
    await page.click('[data-do="curl"]')
    await page.getByText('Copied', { exact: true }).first().waitFor()
    expect(complaints).to.deep.equal([])
    service.kill('SIGKILL')
  })
})

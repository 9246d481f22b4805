import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { barriers, browserOfSuite, describeInBrowser, type Page, screenshot } from '../../support/browser.ts'
import { type Service, scripted, startService, until } from '../../support/service.ts'

const CAT = readFileSync(fileURLToPath(new URL('../../../public/examples/cat.jpg', import.meta.url)))
const GUESS = { index: 3, label: 'cat', name: 'cat', full: 'cat', probability: 0.75 }
const MANY = 40
const GIVE_UP = '11:00'

/** Pictures with different bytes: what follows the end of a JPEG is not part of the picture. */
const pictures = (count: number) =>
  Array.from({ length: count }, (_, i) => ({
    name: `${i}.jpg`,
    mimeType: 'image/jpeg',
    buffer: Buffer.concat([CAT, Buffer.from(`picture ${i}`)]),
  }))

describeInBrowser('Pictures under way', function () {
  this.slow(10_000)
  this.timeout(90_000)
  const open = browserOfSuite()
  const script = scripted({ answer: [GUESS], predictMs: 100 })
  let service: Service

  const start = async (port = '0') => {
    service = await startService({ ...script, PORT: port, MAX_BATCH: '1' })
    await service.ready()
  }
  const visit = async () => {
    const watched = await open()
    await watched.page.goto(`${service.url}/model`)
    return watched
  }
  const portOf = ({ url }: Service) => new URL(url).port
  const count = (page: Page, what: string) => page.locator(`#cards .${what}`).count()
  const allDone = (page: Page, wanted: number) =>
    until(async () => (await count(page, 'is-done')) === wanted, `${wanted} answers`, 60_000)

  beforeEach(() => start())
  afterEach(() => service.kill('SIGKILL'))

  for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
    it(`are all answered although ${signal} ends the service and the service starts again: ${MANY} pictures`, async () => {
      const { page } = await visit()
      await page.setInputFiles('#file[multiple]', pictures(MANY))
      await until(async () => (await count(page, 'is-done')) >= 4, 'the first answers', 30_000)
      const before = service
      before.kill(signal)
      await before.exit
      expect(await count(page, 'is-done')).to.be.below(MANY)
      await page.getByText('waiting for the service').first().waitFor()
      await page.locator('#state', { hasText: 'not reachable' }).waitFor()
      expect(await count(page, 'is-failed')).to.equal(0)
      await screenshot(page, `interrupted-${signal}`)
      await start(portOf(before))
      await allDone(page, MANY)
      expect(await count(page, 'is-failed')).to.equal(0)
    })
  }

  it('fail when the service stays away, and are answered when the user tries all again', async () => {
    const { page } = await visit()
    await page.clock.install()
    service.kill('SIGKILL')
    await service.exit
    await page.setInputFiles('#file[multiple]', pictures(5))
    await page.getByText('waiting for the service').first().waitFor()
    expect(await page.locator('#again-all').isVisible()).to.equal(false)
    await page.clock.fastForward(GIVE_UP)
    await until(async () => (await count(page, 'is-failed')) === 5, 'the end of patience')
    expect(await page.locator('.is-failed [data-part="state"]').first().textContent()).to.contain(
      'does not answer',
    )
    expect(await barriers(page)).to.deep.equal([])
    await start(portOf(service))
    await page.click('#again-all')
    expect(await page.evaluate('document.activeElement.id')).to.equal('clear')
    await allDone(page, 5)
    expect(await page.locator('#again-all').isVisible()).to.equal(false)
  })

  it('fail after six tries when each try ends the service', async () => {
    const { page } = await visit()
    let sent = 0
    await page.route('**/model', (route) => {
      if (route.request().method() === 'GET') return route.continue()
      sent++
      return route.abort()
    })
    await page.clock.install()
    await page.setInputFiles('#file[multiple]', pictures(1))
    const failed = async () => {
      await page.clock.runFor(1000)
      return (await count(page, 'is-failed')) === 1
    }
    await until(failed, 'the last try', 30_000)
    expect(sent).to.equal(6)
  })

  it('make the browser ask before the user leaves, until they are cleared', async () => {
    const { page } = await visit()
    const asked: string[] = []
    page.on('dialog', (dialog) => {
      asked.push(dialog.type())
      return dialog.dismiss()
    })
    // Browsers ask only a user who has done something on the page.
    await page.click('h1')
    await page.setInputFiles('#file[multiple]', pictures(30))
    await page.getByText('predicting').first().waitFor()
    await page.close({ runBeforeUnload: true })
    await until(() => asked.length > 0, 'the question')
    expect(asked).to.deep.equal(['beforeunload'])
    expect(page.isClosed()).to.equal(false)
    await page.click('#clear')
    await page.close({ runBeforeUnload: true })
    await until(() => page.isClosed(), 'the end of the page')
    expect(asked).to.have.length(1)
  })
})

describeInBrowser('The answers of a visit', function () {
  this.slow(5000)
  const open = browserOfSuite()
  let service: Service

  before(async () => {
    service = await startService(scripted({ answer: [GUESS] }))
    await service.ready()
  })
  after(() => service.kill('SIGKILL'))

  const visit = async () => {
    const { page } = await open()
    await page.goto(`${service.url}/model`)
    return page
  }

  it('are kept in part when other pages have filled the storage: the newest stay', async () => {
    const page = await visit()
    await page.evaluate(`{
      sessionStorage.setItem('room', 'x'.repeat(30_000))
      for (let size = 4_000_000, n = 0; size > 1000; n++) {
        try {
          sessionStorage.setItem('full-' + n, 'x'.repeat(size))
        } catch { size = Math.floor(size / 2) }
      }
      sessionStorage.removeItem('room')
    }`)
    await page.setInputFiles('#file[multiple]', pictures(6))
    await page.locator('.is-done').nth(5).waitFor()
    const kept = () =>
      page.evaluate<string[]>(
        `JSON.parse(sessionStorage.getItem('tandem-history-model') ?? '[]').map(({ name, picture }) => picture ? name : '')`,
      )
    await until(async () => (await kept())[0] === '5.jpg', 'the newest answer with its picture')
    expect((await kept()).length).to.be.within(1, 5)
    await page.reload()
    await page.locator('.is-done', { hasText: '5.jpg' }).waitFor()
  })

  it('take at most three million characters: the newest stay', async () => {
    const page = await visit()
    const { length, names } = await page.evaluate<{ length: number; names: string[] }>(`(async () => {
      const script = [...document.querySelectorAll('link[rel=modulepreload]')].find(({ href }) => href.endsWith('/history.js'))
      const { createHistory } = await import(script.href)
      const history = createHistory('bound')
      history.write(Array.from({ length: 50 }, (_, i) => ({ name: String(i), answer: {}, picture: 'x'.repeat(100_000) })))
      return { length: sessionStorage.getItem('tandem-history-bound').length, names: history.read().map(({ name }) => name) }
    })()`)
    expect(length).to.be.within(2_800_000, 3_000_000)
    expect(names).to.deep.equal(Array.from({ length: names.length }, (_, i) => String(i)))
  })
})

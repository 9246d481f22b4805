import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import {
  barriers,
  browserOfSuite,
  describeInBrowser,
  expectNoFlaws,
  type Page,
  screenshot,
  WIDTHS,
} from '../../support/browser.ts'
import { recordsIn } from '../../support/feedback-folder.ts'
import { drawOn, drawSeven, placesOn } from '../../support/pad.ts'
import { expectGoodLooks, expectLittleWeight } from '../../support/page-checks.ts'
import { type Service, scripted, startService, until } from '../../support/service.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const WEIGHTS = fileURLToPath(new URL('../../../weights/digits/model.json', import.meta.url))
const SEVEN = fileURLToPath(new URL('../../../public/digits-example.png', import.meta.url))
const KEY = 'a-key-that-is-right'

describeInBrowser('The page for digits', () => {
  const open = browserOfSuite()
  let service: Service
  const feedback = join(temporaryFolder(), 'feedback')

  before(async function () {
    // The model comes with the package; a checkout without it has nothing to draw for.
    if (!existsSync(WEIGHTS)) this.skip()
    service = await startService({ MODELS: 'digits', FEEDBACK_DIR: feedback })
    await service.ready()
  })
  after(() => service?.stop())

  const visit = async (look = {}) => {
    const watched = await open(look)
    await watched.page.goto(`${service.url}/digits`)
    return watched
  }

  it('reads a drawn 7, and moves the bars during the stroke, with one request at a time', async () => {
    const watched = await visit()
    const { page } = watched
    const requests = watchRequests(page)
    await drawSeven(page, async () => {
      // Half of a digit is none, but its bars are there.
      await page.locator('#timing', { hasText: 'in the service' }).waitFor()
    })
    await page.locator('.is-best[data-digit="7"]').waitFor()
    const bar = page.locator('[data-digit="7"] rect')
    await until(async () => Number(await bar.getAttribute('width')) > 50, 'the bar of the whole drawing')
    expect(await page.locator('#timing').textContent()).to.match(/^[\d.]+ ms in the service/)
    expect(requests.mostAtOnce).to.equal(1)
    expect(requests.count).to.be.within(2, 40)
    await expectNoFlaws(watched)
  })

  it('undoes the last stroke, and clears the pad', async () => {
    const { page } = await visit()
    await drawSeven(page)
    await drawOn(page, [
      [0.3, 0.9],
      [0.7, 0.9],
    ])
    await page.keyboard.press('Control+z')
    await reads(page, '7')
    await page.getByRole('button', { name: 'Undo' }).click()
    await page.getByText('Nothing drawn yet').waitFor()
    expect(await page.getByRole('button', { name: 'Clear' }).isDisabled()).to.equal(true)
    await drawSeven(page)
    await page.getByRole('button', { name: 'Clear' }).click()
    await page.getByText('Nothing drawn yet').waitFor()
    // An answer that was under way must not come after all.
    await page.waitForTimeout(300)
    expect(await page.locator('#best').textContent()).to.equal('?')
  })

  it('is drawn on with a finger, and ignores a second finger', async () => {
    const { page } = await visit({ width: 360 })
    const touch = await page.context().newCDPSession(page)
    await touch.send('Emulation.setTouchEmulationEnabled', { enabled: true, maxTouchPoints: 2 })
    const scrolled = await page.evaluate('scrollY')
    const place = await placesOn(page)
    const finger = (type: 'touchStart' | 'touchMove' | 'touchEnd', ...at: [number, number][]) =>
      touch.send('Input.dispatchTouchEvent', {
        type,
        touchPoints: at.map(([x, y], id) => ({ ...place(x, y), id })),
      })
    await finger('touchStart', [0.5, 0.15])
    for (let y = 0.2; y < 0.85; y += 0.05) await finger('touchMove', [0.5, y])
    await finger('touchStart', [0.5, 0.85], [0.1, 0.1])
    await finger('touchMove', [0.5, 0.87], [0.9, 0.1])
    await finger('touchEnd')
    await reads(page, '1')
    expect(await page.evaluate('scrollY')).to.equal(scrolled)
  })

  it('is drawn on with the keyboard, and announces the pen', async () => {
    const watched = await visit()
    const { page } = watched
    await page.locator('#pad').focus()
    for (let i = 0; i < 2; i++) await page.keyboard.press('Shift+ArrowUp')
    await page.keyboard.press('Space')
    expect(await page.locator('#said').textContent()).to.equal('Pen down')
    for (let i = 0; i < 16; i++) await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Space')
    await reads(page, '1')
    await page
      .getByRole('status')
      .filter({ hasText: /^It reads 1, / })
      .waitFor({ state: 'attached' })
    await page.keyboard.press('Delete')
    await page.getByText('Nothing drawn yet').waitFor()
    await expectNoFlaws(watched)
  })

  it('reads a chosen file, a dropped file, a pasted file and the example', async () => {
    const watched = await visit()
    const { page } = watched
    const clear = async () => {
      await page.getByRole('button', { name: 'Clear' }).click()
      await page.getByText('Nothing drawn yet').waitFor()
    }
    await page.locator('#file').setInputFiles(SEVEN)
    await reads(page, '7')
    await page.getByRole('img', { name: 'The picture digits-example.png' }).waitFor()
    await clear()
    for (const way of ['drop', 'paste'] as const) {
      await bring(page, way, readFileSync(SEVEN))
      await reads(page, '7')
      await clear()
    }
    await page.getByRole('link', { name: 'Example' }).click()
    await reads(page, '7')
    // The pad comes back for the next drawing.
    await clear()
    await drawSeven(page)
    await reads(page, '7')
    await expectNoFlaws(watched)
  })

  it('shows an error for a file that is not a picture', async () => {
    const { page } = await visit()
    await bring(page, 'drop', Buffer.from('no picture at all'))
    await page.getByRole('alert').filter({ hasText: /image/i }).waitFor()
    await page.getByText('Not read', { exact: true }).waitFor()
    await page.locator('#picture').waitFor({ state: 'hidden' })
    await page.locator('#file').setInputFiles(SEVEN)
    await reads(page, '7')
    expect(await page.getByRole('alert').count()).to.equal(0)
  })

  it('keeps the last reading when a file is too large', async () => {
    const { page } = await visit()
    await page.locator('#file').setInputFiles(SEVEN)
    await reads(page, '7')
    // A file of that size would only cost time.
    await page.evaluate(`{
      const file = new File(['x'], 'large.png', { type: 'image/png' })
      Object.defineProperty(file, 'size', { value: 1e9 })
      const paste = new ClipboardEvent('paste', { clipboardData: new DataTransfer() })
      Object.defineProperty(paste.clipboardData, 'files', { value: [file] })
      document.dispatchEvent(paste)
    }`)
    await page.getByRole('alert').filter({ hasText: '1000000000 bytes' }).waitFor()
    expect(await page.locator('#best').textContent()).to.equal('7')
    await page.getByRole('button', { name: 'Clear' }).click()
    await drawSeven(page)
    await reads(page, '7')
  })

  it('goes back to the pad when the user draws with the keyboard, and keeps the focus', async () => {
    const { page } = await visit()
    await page.locator('#file').setInputFiles(SEVEN)
    await reads(page, '7')
    await page.locator('#pad').focus()
    await page.keyboard.press('Space')
    await page.locator('#picture').waitFor({ state: 'hidden' })
    for (let i = 0; i < 10; i++) await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Space')
    await reads(page, '1')
    for (const name of ['Undo', 'Clear']) {
      await page.getByRole('button', { name }).focus()
      await page.keyboard.press('Enter')
      await page.getByText('Nothing drawn yet').waitFor()
      expect(await page.evaluate('document.activeElement.id'), name).to.equal('pad')
      await page.keyboard.press('Space')
      await page.keyboard.press('Space')
    }
    // Delete is for a picture, too.
    await page.locator('#file').setInputFiles(SEVEN)
    await reads(page, '7')
    await page.locator('#pad').press('Delete')
    await page.locator('#picture').waitFor({ state: 'hidden' })
    await page.getByText('Nothing drawn yet').waitFor()
  })

  it('clears a result that came with the page', async () => {
    const { page } = await visit()
    // As if the script had not been there yet.
    await page.evaluate(`{
      const form = document.getElementById('form')
      const picture = new DataTransfer()
      const bytes = Uint8Array.from(atob('${readFileSync(SEVEN).toString('base64')}'), (c) => c.charCodeAt(0))
      picture.items.add(new File([bytes], 'seven.png', { type: 'image/png' }))
      document.getElementById('file').files = picture.files
      HTMLFormElement.prototype.submit.call(form)
    }`)
    await page.waitForURL('**/digits?top=10')
    await page.getByRole('img', { name: 'The picture that is read' }).waitFor()
    await reads(page, '7')
    expect(await page.getByRole('link', { name: 'Digits' }).getAttribute('aria-current')).to.equal('page')
    await page.getByRole('button', { name: 'Clear' }).click()
    await page.getByText('Nothing drawn yet').waitFor()
    await drawSeven(page)
    await reads(page, '7')
  })

  it('reads a small digit', async () => {
    const { page } = await visit()
    await drawOn(page, [
      [0.8, 0.65],
      [0.74, 0.65],
      [0.73, 0.7],
      [0.77, 0.695],
      [0.8, 0.73],
      [0.78, 0.765],
      [0.725, 0.76],
    ])
    await reads(page, '5')
  })

  it('records a report of a wrong reading', async () => {
    const watched = await visit()
    const { page } = watched
    await drawSeven(page)
    await reads(page, '7')
    await page
      .getByRole('group', { name: /^Wrong\?/ })
      .getByRole('button', { name: '1' })
      .click()
    await page.locator('#thanks').waitFor()
    const record = await until(() => recordsIn(feedback).at(-1), 'the record')
    expect(record).to.include({ report: '1', prediction: '7', model: 'digits' })
    await expectNoFlaws(watched)
  })

  it('without JavaScript, is a form for a picture, and takes a report', async () => {
    const watched = await visit({ javaScript: false, width: 360 })
    const { page } = watched
    expect(await page.locator('#undo').isVisible()).to.equal(false)
    await page.getByText(`curl --data-binary @seven.png ${service.url}/digits`).waitFor()
    await page.getByText(`curl -F image=@seven.png ${service.url}/predictlabel`).waitFor()
    await page.getByRole('button', { name: 'Read the digit' }).click()
    await page.getByRole('alert').filter({ hasText: 'no picture' }).waitFor()
    // The console of a browser tells of every 400.
    watched.complaints.length = 0
    await page.locator('#file').setInputFiles(SEVEN)
    await page.getByRole('button', { name: 'Read the digit' }).click()
    expect(await page.locator('#best').textContent()).to.equal('7')
    expect(Number(await page.locator('[data-digit="7"] rect').getAttribute('width'))).to.be.greaterThan(90)
    await page.getByRole('img', { name: 'The picture that is read' }).waitFor()
    await expectNoFlaws(watched)
    await screenshot(page, 'digits-no-script-360')
    await page
      .getByRole('group', { name: /^Wrong\?/ })
      .getByRole('button', { name: '4' })
      .click()
    await page.getByText('Thanks for your feedback').first().waitFor()
    expect(recordsIn(feedback).at(-1)).to.include({ report: '4', prediction: '7' })
  })

  for (const width of WIDTHS) {
    it(`is accessible and fits at ${width} px, light and dark, empty and drawn on`, async () => {
      const watched = await visit({ width })
      const { page } = watched
      expect(await barriers(page)).to.deep.equal([])
      await drawSeven(page)
      await reads(page, '7')
      await expectGoodLooks(watched, `digits-${width}`)
    })
  }

  it('has less than 60 KB', async () => {
    const { page } = await open()
    const expectLight = expectLittleWeight(page)
    await page.goto(`${service.url}/digits`)
    await expectLight()
  })

  describe('with a service that', () => {
    const PREDICT_MS = 500
    const answer = Array.from({ length: 10 }, (_, index) => {
      const label = String(index)
      return { index, label, name: label, full: label, probability: index === 3 ? 0.91 : 0.01 }
    })
    const asDigits = (script: object) => {
      const { PIPELINE = '', MODELS = '' } = scripted({
        answer: [...answer].sort((a, b) => b.probability - a.probability),
        ...script,
      })
      return { PIPELINE, MODELS: MODELS.replace('model=', 'digits=') }
    }

    let service: Service

    before(async () => {
      const script = { startMs: 2500, startWord: 'warming up', predictMs: PREDICT_MS }
      service = await startService({ ...asDigits(script), API_KEYS: KEY })
    })
    after(() => service.stop())

    it('requires a key and is still loading: asks for the key, waits, then reads the drawing', async () => {
      const { page } = await open()
      await page.goto(`${service.url}/digits`)
      await page.getByText('warming up').waitFor()
      await drawSeven(page)
      await page.getByLabel('API key').fill(KEY)
      await page.getByRole('button', { name: 'Use this key' }).click()
      await reads(page, '3')
      await page.getByText('warming up').waitFor({ state: 'hidden' })
      await page.locator('.pill', { hasText: 'ready' }).waitFor()
    })

    it('requires a key: asks at the end of a stroke, and after a refusal at the end of the next stroke', async () => {
      const { page } = await open()
      await page.goto(`${service.url}/digits`)
      const dialog = page.getByRole('dialog')
      for (const _ of ['at first', 'again']) {
        await drawSeven(page, async () => {
          expect(await dialog.isVisible()).to.equal(false)
        })
        await page.getByRole('button', { name: 'Cancel' }).click()
        await page.getByText('Not read', { exact: true }).waitFor()
        await page.waitForTimeout(300)
        expect(await dialog.isVisible()).to.equal(false)
      }
    })

    it('cannot load its model: shows the same notice as other pages', async () => {
      const { page } = await open()
      const its = { state: 'ready', progress: null, error: null }
      await page.route('**/readyz', (route) => route.fulfill({ json: { models: { digits: its } } }))
      await page.route('**/digits?top=10', (route) => {
        const error = { code: 'ERR_NOT_READY', message: 'The model "digits" is not ready.' }
        return route.fulfill({ status: 503, headers: { 'Retry-After': '10' }, json: { error } })
      })
      await page.goto(`${service.url}/digits`)
      Object.assign(its, { state: 'failed', error: { code: 'ERR_MODEL_LOAD', message: 'It is broken.' } })
      await drawSeven(page)
      await page.getByText('digits could not be loaded').waitFor()
      await page.getByText('It is broken. The service tries again').waitFor()
      expect(await page.getByText('is not ready.').isVisible()).to.equal(false)
      expect(await page.locator('#loading-bar').isVisible()).to.equal(false)
      Object.assign(its, { state: 'ready' })
      await page.locator('#loading').waitFor({ state: 'hidden' })
    })

    it('is slow: sends only the newest drawing, one request at a time', async () => {
      await service.ready()
      const { page } = await open()
      await page.addInitScript(`sessionStorage.setItem('tandem-key', '${KEY}')`)
      const requests = watchRequests(page)
      await page.goto(`${service.url}/digits`)
      const start = performance.now()
      await drawSeven(page)
      const whileDrawn = Math.ceil((performance.now() - start) / PREDICT_MS)
      await page.getByText('Nothing drawn yet').waitFor({ state: 'hidden' })
      await until(() => requests.count >= 2 && requests.open === 0, 'the last answer')
      expect(requests).to.include({ mostAtOnce: 1 })
      // At most one for each answer that came while the hand moved, and one for the finished drawing.
      expect(requests.count).to.be.within(2, whileDrawn + 1)
      // What is cleared while its answer is under way stays cleared.
      await drawSeven(page)
      await until(() => requests.open === 1, 'a request')
      await page.getByRole('button', { name: 'Clear' }).click()
      await page.waitForTimeout(700)
      expect(await page.locator('#best').textContent()).to.equal('?')
    })
  })
})

async function reads(page: Page, digit: string): Promise<void> {
  await page.locator('#best', { hasText: digit }).waitFor()
}

/** As from another program: the bytes in a file that is dropped on the page or pasted into it. */
async function bring(page: Page, way: 'drop' | 'paste', bytes: Buffer): Promise<void> {
  await page.evaluate(`{
    const data = new DataTransfer()
    const bytes = Uint8Array.from(atob('${bytes.toString('base64')}'), (c) => c.charCodeAt(0))
    data.items.add(new File([bytes], 'brought.png', { type: 'image/png' }))
    const at = document.getElementById('paper')
    const how = { bubbles: true, cancelable: true }
    if ('${way}' === 'paste') document.dispatchEvent(new ClipboardEvent('paste', { ...how, clipboardData: data }))
    else for (const type of ['dragenter', 'dragover', 'drop']) at.dispatchEvent(new DragEvent(type, { ...how, dataTransfer: data }))
  }`)
}

function watchRequests(page: Page) {
  const requests = { count: 0, open: 0, mostAtOnce: 0 }
  const isPosted = (method: string) => method === 'POST'
  page.on('request', (request) => {
    if (!isPosted(request.method())) return
    requests.count++
    requests.mostAtOnce = Math.max(requests.mostAtOnce, ++requests.open)
  })
  for (const end of ['requestfinished', 'requestfailed'] as const) {
    page.on(end as 'requestfinished', (request) => void (isPosted(request.method()) && requests.open--))
  }
  return requests
}

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { browserOfSuite, describeInBrowser, expectNoFlaws, type Page, WIDTHS } from '../../support/browser.ts'
import { until } from '../../support/service.ts'
import { HOSTILE_LABEL, smallService } from '../../support/small-service.ts'

const example = (name: string) => fileURLToPath(new URL(`../../../public/examples/${name}`, import.meta.url))
const CAT = example('cat.jpg')
const COFFEE = example('coffee.jpg')
const MODEL = 'small'

describeInBrowser('The page of a model', function () {
  this.slow(3000)
  const running = smallService()
  const open = browserOfSuite()

  const visit = async (width?: number, model = MODEL) => {
    const watched = await open(width === undefined ? {} : { width })
    await watched.page.goto(`${running().url}/${model}`)
    return watched
  }
  /** The best label of the API for a file. */
  const bestOf = async (file: string) => {
    const answer = await fetch(`${running().url}/${MODEL}`, { method: 'POST', body: readFileSync(file) })
    return ((await answer.json()) as { predictions: { label: string }[] }).predictions[0]?.label
  }
  const done = (page: Page, count = 1) =>
    page
      .locator('.is-done')
      .nth(count - 1)
      .waitFor()
  const cards = (page: Page) => page.locator('#cards .result')

  for (const width of WIDTHS) {
    it(`classifies several chosen files at ${width} px, each on a card with bars and timing`, async () => {
      const watched = await visit(width)
      const { page } = watched
      await page.setInputFiles('#file[multiple]', [CAT, COFFEE])
      await done(page, 2)
      expect(await page.locator('.result-name').allTextContents()).to.deep.equal(['coffee.jpg', 'cat.jpg'])
      const card = cards(page).first()
      expect(await card.locator('.guess').count()).to.equal(5)
      expect(await card.locator('.guess-share').first().textContent()).to.match(/^\d+\.\d %$/)
      expect(Number(await card.locator('.guess rect').first().getAttribute('width'))).to.be.above(1)
      expect(await card.locator('.timing').textContent()).to.match(/queue .+prepare .+predict .+total .+ms/)
      expect(await card.locator('.guess-label').first().textContent()).to.equal(await bestOf(COFFEE))
      expect(await page.locator('#said').textContent()).to.contain('cat.jpg: ')
      await expectNoFlaws(watched)
    })

    it(`takes a dropped file at ${width} px`, async () => {
      const watched = await visit(width)
      await give(watched.page, 'drop', { file: CAT })
      await done(watched.page)
      await expectNoFlaws(watched)
    })

    it(`takes a pasted file at ${width} px`, async () => {
      const watched = await visit(width)
      await give(watched.page, 'paste', { file: CAT })
      await done(watched.page)
      await expectNoFlaws(watched)
    })
  }

  it('takes a file that was chosen before its script ran', async () => {
    const watched = await open()
    const { page } = watched
    let release = () => {}
    const chosen = new Promise<void>((resolve) => {
      release = resolve
    })
    await page.route('**/model.js', async (route) => {
      await chosen
      await route.continue()
    })
    await page.goto(`${running().url}/${MODEL}`, { waitUntil: 'commit' })
    await page.setInputFiles('#file', CAT)
    release()
    await done(page)
    await expectNoFlaws(watched)
  })

  it('takes a pasted URL, and shows the picture from this service', async () => {
    const watched = await visit()
    await give(watched.page, 'paste', { text: running().offer(readFileSync(CAT)) })
    await done(watched.page)
    await watched.page.locator('.result-picture img[src^="data:image/jpeg"]').waitFor()
    await expectNoFlaws(watched)
  })

  it('leaves text alone that the user pastes into a field', async () => {
    const { page } = await visit()
    await page.focus('#url')
    await page.evaluate('navigator.clipboard.writeText("https://example.com/cat.jpg")')
    await page.keyboard.press('Control+V')
    expect(await page.inputValue('#url')).to.equal('https://example.com/cat.jpg')
    expect(await cards(page).count()).to.equal(0)
  })

  it('takes a typed URL, with the keyboard alone', async () => {
    const watched = await visit()
    const { page } = watched
    await page.focus('#url')
    await page.keyboard.type(running().offer(readFileSync(COFFEE)))
    await page.keyboard.press('Enter')
    await done(page)
    expect(await page.inputValue('#url')).to.equal('')
    await expectNoFlaws(watched)
  })

  it('classifies a clicked example', async () => {
    const watched = await visit()
    await watched.page.click('[data-example="cat.jpg"]')
    await done(watched.page)
    const label = watched.page.locator('.guess-label').first()
    expect(await label.textContent()).to.equal(await bestOf(CAT))
    await expectNoFlaws(watched)
  })

  it('takes a picture with the camera, and turns the camera off', async () => {
    const watched = await visit()
    const { page } = watched
    await page.click('#camera')
    await until(() => page.evaluate('document.getElementById("camera-video").videoWidth > 0'), 'the camera')
    await page.click('#camera-take')
    await done(page)
    expect(await page.locator('#camera-dialog').isVisible()).to.equal(false)
    expect(await page.evaluate('document.getElementById("camera-video").srcObject')).to.equal(null)
    await expectNoFlaws(watched)
  })

  it('turns the camera off when the user clicks its button twice and closes the dialog at once', async () => {
    const watched = await visit()
    const { page } = watched
    await page.evaluate(`(() => {
      const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices)
      window.streams = []
      navigator.mediaDevices.getUserMedia = async (wanted) => {
        const stream = await ask(wanted)
        window.streams.push(stream)
        return stream
      }
      const dialog = document.getElementById('camera-dialog')
      const show = dialog.showModal.bind(dialog)
      dialog.showModal = () => {
        show()
        setTimeout(() => dialog.close())
      }
      document.getElementById('camera').click()
      document.getElementById('camera').click()
    })()`)
    const states = () =>
      page.evaluate<string[]>(
        'window.streams.flatMap((stream) => stream.getTracks()).map(({ readyState }) => readyState)',
      )
    await until(async () => (await states()).includes('ended'), 'the end of the stream')
    await page.waitForTimeout(100)
    expect(await states()).to.deep.equal(['ended'])
    expect(await page.evaluate('document.activeElement.id')).to.equal('camera')
    await expectNoFlaws(watched)
  })

  it('shows an error when a dropped link cannot be a picture', async () => {
    const watched = await visit()
    await give(watched.page, 'drop', { link: 'ftp://example.com/cat.jpg' })
    await watched.page.locator('#problem').waitFor()
    expect(await watched.page.locator('#problem').textContent()).to.contain('Only files, and URLs')
    await expectNoFlaws(watched)
  })

  it('clears an answer that came with the page', async () => {
    const watched = await visit()
    const { page } = watched
    await page.fill('#url', running().offer(readFileSync(CAT)))
    // As a form is sent before the script is there.
    await page.evaluate('document.getElementById("form").submit()')
    await page.locator('.results > article .guess').first().waitFor()
    expect(await page.locator('#none').isVisible()).to.equal(false)
    await page.click('#clear')
    expect(await page.locator('.results article').count()).to.equal(0)
    expect(await page.locator('#results-title').textContent()).to.equal('Results')
    expect(await page.locator('#none').isVisible()).to.equal(true)
    await expectNoFlaws(watched)
  })

  it('shows why a file is refused, and offers no other try that would fail again', async () => {
    const { page } = await visit()
    await page.setInputFiles('#file[multiple]', {
      name: '<b>notes</b>.txt',
      mimeType: 'image/png',
      buffer: Buffer.from('no picture'),
    })
    await page.locator('.is-failed').waitFor()
    expect(await page.locator('[data-part="state"]').textContent()).to.match(/^[A-Z].+ text\.$/)
    expect(await page.locator('.result-name').textContent()).to.equal('<b>notes</b>.txt')
    expect(await page.locator('[data-part="actions"]').isVisible()).to.equal(false)
  })

  it('refuses a file that is too large, without sending it', async () => {
    const watched = await visit()
    const { page } = watched
    await give(page, 'drop', { size: 21 * 2 ** 20 })
    await page.locator('.is-failed').waitFor()
    expect(await page.locator('[data-part="state"]').textContent()).to.match(/has 21 MB, but .+ 20 MB/)
    await expectNoFlaws(watched)
  })

  it('keeps at most fifty cards, and says how many pictures it left out', async () => {
    const watched = await visit()
    const { page } = watched
    const buffer = readFileSync(CAT)
    const files = Array.from({ length: 52 }, (_, i) => ({ name: `${i}.jpg`, mimeType: 'image/jpeg', buffer }))
    await page.setInputFiles('#file[multiple]', files)
    await page.locator('#problem').waitFor()
    expect(await page.locator('#problem').textContent()).to.contain('2 of 52')
    await done(page, 50)
    await page.setInputFiles('#file[multiple]', { name: 'new.jpg', mimeType: 'image/jpeg', buffer })
    await page.locator('.result-name', { hasText: 'new.jpg' }).waitFor()
    await done(page, 50)
    expect(await cards(page).count()).to.equal(50)
    await expectNoFlaws(watched)
  })

  it('completes the label of a report, and records the report', async () => {
    const watched = await visit()
    const { page } = watched
    await page.setInputFiles('#file[multiple]', CAT)
    await done(page)
    let refused = 0
    await page.route('**/labels/**', (route) => (refused++ ? route.continue() : route.abort()))
    const failed = page.waitForEvent('requestfailed')
    await page.click('[data-do="report"]')
    await failed
    await page.keyboard.type('siamese')
    await page.locator('#labels option').first().waitFor({ state: 'attached' })
    expect(await page.locator('#labels option').first().getAttribute('value')).to.equal('Siamese cat')
    await page.fill('.report [name="report"]', 'Siamese cat')
    await page.keyboard.press('Enter')
    await page.locator('.report-thanks').waitFor()
    const path = `${running().feedbackDir}/feedback.csv`
    const record = await until(() => readFileSync(path, 'utf8').match(/.*Siamese cat.*/)?.[0], 'the record')
    expect(record).to.contain('small')
    await page.reload()
    await done(page)
    expect(await page.locator('[data-do="report"]').isVisible()).to.equal(false)
    const own = watched.complaints.filter((line) => !line.includes('ERR_FAILED'))
    await expectNoFlaws({ ...watched, complaints: own })
  })

  it('copies the curl command and the JSON, and saves the JSON', async () => {
    const watched = await visit()
    const { page } = watched
    await page.setInputFiles('#file[multiple]', CAT)
    await done(page)
    const clipboard = () => page.evaluate<string>('navigator.clipboard.readText()')
    await page.click('[data-do="curl"]')
    await page.getByText('Copied', { exact: true }).first().waitFor()
    expect(await clipboard()).to.equal(`curl --data-binary @cat.jpg ${running().url}/${MODEL}`)
    await page.click('[data-do="json"]')
    await until(async () => (await clipboard()).startsWith('{'), 'the JSON')
    expect(JSON.parse(await clipboard())).to.include.keys('id', 'model', 'predictions', 'timing')
    const [download] = await Promise.all([page.waitForEvent('download'), page.click('[data-do="save"]')])
    expect(download.suggestedFilename()).to.match(new RegExp(`^${MODEL}-.+\\.json$`))
    await expectNoFlaws(watched)
  })

  it('keeps the answers of a visit until the user clears them', async () => {
    const watched = await visit()
    const { page } = watched
    await page.setInputFiles('#file[multiple]', [CAT])
    await done(page)
    const history = `sessionStorage.getItem("tandem-history-${MODEL}")?.includes("data:image")`
    await until(() => page.evaluate(history), 'the history')
    await page.reload()
    expect(await page.locator('.is-done .guess').count()).to.equal(5)
    expect(await page.locator('.result-picture img').count()).to.equal(1)
    await page.click('#clear')
    await page.reload()
    expect(await cards(page).count()).to.equal(0)
    await expectNoFlaws(watched)
  })

  it('shows labels that look like markup as text', async () => {
    const watched = await visit(undefined, 'hostile')
    await watched.page.setInputFiles('#file[multiple]', CAT)
    await done(watched.page)
    expect(await watched.page.locator('.guess-label').first().textContent()).to.contain(HOSTILE_LABEL)
    await expectNoFlaws(watched)
  })
})

/** Drops or pastes something, with the events that a browser sends. */
async function give(
  page: Page,
  kind: 'drop' | 'paste',
  what: { file?: string; text?: string; link?: string; size?: number },
): Promise<void> {
  const base64 = what.file === undefined ? '' : readFileSync(what.file).toString('base64')
  await page.evaluate(`(() => {
    const { text, link, size, base64 } = ${JSON.stringify({ ...what, base64 })}
    const data = new DataTransfer()
    const bytes = size ? new Uint8Array(size) : Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))
    if (link) data.setData('text/uri-list', link)
    else if (text) data.setData('text/plain', text)
    else data.items.add(new File([bytes], 'given.jpg', { type: 'image/jpeg' }))
    const event = '${kind}' === 'drop'
      ? new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true })
      : new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true })
    document.body.dispatchEvent(event)
  })()`)
}

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import type { Script } from '../../fixtures/pipelines/scripted.ts'
import { browserOfSuite, describeInBrowser, type Page, SCHEMES, screenshot } from '../../support/browser.ts'
import { fixture, type Service, startService, until } from '../../support/service.ts'
import { HOSTILE_LABEL } from '../../support/small-service.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const FIT_WIDTHS = [320, 360, 768, 1440]
const CAT = fileURLToPath(new URL('../../../public/examples/cat.jpg', import.meta.url))
/** As long as MODELS allows, and without a place to break the line. */
const LONG = `m${'odel'.repeat(16)}`.slice(0, 64)
const BROKEN = `broken-${LONG}`.slice(0, 64)
const PATH = `/srv/${'a_folder_without_blanks/'.repeat(9)}vgg16_weights_tf_dim_ordering_tf_kernels.h5`
const FAILURE = `There is no file ${PATH}; https://example.com/${'x'.repeat(200)} has it.`
const LABELS = [
  'x'.repeat(300),
  HOSTILE_LABEL,
  'a long label '.repeat(25),
  '漢字'.repeat(80),
  `${HOSTILE_LABEL} `,
]

const SCRIPTS: Readonly<Record<string, Script>> = {
  [LONG]: {
    answer: LABELS.map((label, index) => ({
      index,
      label,
      name: label,
      full: label,
      probability: 0.9 / (index + 1),
    })),
  },
  [BROKEN]: { failStart: FAILURE },
  digits: { failStart: FAILURE },
}

/** Every page, in its most awkward state. */
const PAGES: Readonly<Record<string, (page: Page, url: string) => Promise<unknown>>> = {
  home: (page, url) => page.goto(url),
  'model-broken': (page, url) => page.goto(`${url}/${BROKEN}`),
  'model-results': async (page, url) => {
    await page.goto(`${url}/${LONG}`)
    const buffer = readFileSync(CAT)
    const named = (name: string) => ({ name, mimeType: 'image/jpeg', buffer })
    await page.setInputFiles('#file[multiple]', [
      named(`${'n'.repeat(200)}.jpg`),
      named(`${HOSTILE_LABEL}.jpg`),
    ])
    await page.locator('.is-done').nth(1).waitFor()
    await page.locator('[data-do="report"]:visible').first().click()
    await page.getByText('From a program').click()
  },
  'model-problem': async (page, url) => {
    await page.goto(`${url}/${LONG}`)
    await page.fill('#url', `ftp://example.com/${'y'.repeat(500)}`)
    await page.evaluate('document.getElementById("form").submit()')
    await page.getByText('ERR_URL_INVALID').waitFor()
  },
  'model-sent': async (page, url) => {
    await page.goto(`${url}/${LONG}`)
    await submit(page, '#file')
    await page.locator('.results > article').waitFor()
    await page.getByText('JSON and curl command').click()
  },
  'digits-broken': (page, url) => page.goto(`${url}/digits`),
  upload: async (page, url) => {
    await page.goto(url)
    await submit(page, '[name="file"]')
    await page.getByText('Predicted class').waitFor()
  },
  status: async (page, url) => {
    await page.goto(`${url}/status`)
    await page.locator('.line[d]').first().waitFor({ state: 'attached' })
  },
  docs: (page, url) => page.goto(`${url}/docs`),
  error: (page, url) => page.goto(`${url}/nothing/${'z'.repeat(400)}`),
  feedback: (page, url) => page.goto(`${url}/feedback`),
}

describeInBrowser('Every page, with long names, long labels and a model that fails', function () {
  this.slow(3000)
  const open = browserOfSuite()
  let service: Service

  before(async function () {
    this.timeout(60_000)
    const folder = temporaryFolder()
    const models = Object.entries(SCRIPTS).map(([name, script]) => {
      const path = join(folder, `${name}.json`)
      writeFileSync(path, JSON.stringify(script))
      return `${name}=${path}`
    })
    service = await startService({
      PIPELINE: fixture('scripted.ts'),
      MODELS: models.join(','),
      PREDICT_MODEL: LONG,
      VGG_MODEL: BROKEN,
    })
    await service.ready()
    const hasFailed = async () => (await (await fetch(`${service.url}/${BROKEN}`)).text()).includes(PATH)
    await until(hasFailed, 'the failure of a model', 30_000)
  })
  after(() => service?.kill('SIGKILL'))

  for (const [name, go] of Object.entries(PAGES)) {
    it(`fits a window of ${FIT_WIDTHS.join(', ')} px: ${name}`, async function () {
      this.timeout(60_000)
      const { page } = await open()
      await go(page, service.url)
      for (const width of FIT_WIDTHS) {
        await page.setViewportSize({ width, height: 800 })
        const { inside, outside, spilt, overlaps } = await measure(page)
        expect(inside, `width of the page in a window of ${width}`).to.be.at.most(outside)
        expect(spilt, `what sticks out of its card at ${width}`).to.deep.equal([])
        expect(overlaps, `cards that overlap at ${width}`).to.deep.equal([])
        for (const scheme of SCHEMES) {
          await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' })
          await screenshot(page, `fits-${name}-${width}-${scheme}`, name !== 'docs')
        }
      }
    })
  }
})

/** Sends the form as a browser does before a script has taken it over. */
async function submit(page: Page, input: string): Promise<void> {
  await page.evaluate(`{
    const picture = new DataTransfer()
    picture.items.add(new File([new Uint8Array([255, 216, 255, 224])], 'cat.jpg', { type: 'image/jpeg' }))
    const input = document.querySelector('main form ${input}')
    input.files = picture.files
    HTMLFormElement.prototype.submit.call(input.form)
  }`)
}

interface Measured {
  readonly inside: number
  readonly outside: number
  readonly spilt: readonly string[]
  readonly overlaps: readonly string[]
}

function measure(page: Page): Promise<Measured> {
  return page.evaluate<Measured>(`(() => {
    const root = document.documentElement
    const cards = [...document.querySelectorAll('.card, .notice, .dialect, .tile')].filter((card) => card.checkVisibility())
    const named = (card) => card.className + ': ' + card.textContent.trim().slice(0, 40)
    const overlap = (one, other) => {
      if (one.contains(other) || other.contains(one)) return false
      const [a, b] = [one.getBoundingClientRect(), other.getBoundingClientRect()]
      return Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1
    }
    return {
      inside: root.scrollWidth,
      outside: root.clientWidth,
      spilt: cards.filter((card) => card.scrollWidth > card.clientWidth + 1).map(named),
      overlaps: cards.flatMap((one, i) => cards.slice(i + 1).filter((other) => overlap(one, other)).map((other) => named(one) + ' | ' + named(other))),
    }
  })()`)
}

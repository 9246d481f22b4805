import { pathToFileURL } from 'node:url'
import { expect } from 'chai'
import {
  barriers,
  browserOfSuite,
  describeInBrowser,
  expectNoFlaws,
  screenshot,
} from '../../support/browser.ts'
import { words } from '../../support/markup.ts'
import { scripted, startService } from '../../support/service.ts'
import {
  foreignServer,
  GUESSES,
  htmlOf,
  markdownOf,
  runStress,
  type StressEnd,
} from '../../support/stress.ts'

const CHARTS = [
  'Answers per second',
  'Latency',
  'Waiting',
  'Calls per batch',
  'Delay of the server’s event loop',
]

describe('The report of the stress test', function () {
  this.timeout(60_000)
  let end: StressEnd
  before(async () => {
    const service = await startService({
      ...scripted({ answer: GUESSES, predictMs: 50, version: 'v-42' }),
      MAX_QUEUE: '2',
      MAX_BATCH: '2',
    })
    await service.ready()
    end = await runStress([
      '--url',
      service.url,
      '--users',
      '12',
      '--rate',
      '15',
      '--minutes',
      '0.05',
      '--think',
      '0,0.1',
    ])
    await service.stop()
  })

  it('tells what was measured, of what, on what machine', () => {
    const text = words(htmlOf(end))
    for (const figure of [
      ...CHARTS,
      '12 users',
      '15 arrivals/s',
      'p50 p90 p95 p99 max',
      '503 ERR_QUEUE_FULL',
      'Batches by size',
      'The tester itself was late by',
      '% of one core',
      'Node of the server',
      'commit ',
      'v-42',
      process.versions.node,
    ])
      expect(text, figure).to.include(figure)
    expect(htmlOf(end)).not.to.match(/NaN|undefined|Infinity|\[object/)
    expect(markdownOf(end)).not.to.match(/NaN|undefined|Infinity|\[object/)
  })

  it('refers to nothing outside of its file, and has no script', () => {
    const page = htmlOf(end)
    expect(page).not.to.match(/<(script|link|img|iframe|object|embed|base)\b|@import|url\(|\bon\w+=/i)
    expect(page).not.to.match(/\s(src|href|srcset|data|action|poster)=/i)
    const addresses = [...page.matchAll(/\b(?:https?:)?\/\/[^\s"<]+/g)].map(([address]) => address)
    const allowed = /^http:\/\/(127\.0\.0\.1:\d+|www\.w3\.org\/1999\/xhtml)$/
    expect(addresses.filter((address) => !allowed.test(address))).to.deep.equal([])
  })

  it('shows names and codes of a hostile server as text', async () => {
    const hostile = await foreignServer((request, response) => {
      request.resume()
      if (request.url === '/readyz') return void response.end(readiness)
      if (request.url === '/models') return void response.end(list)
      response.writeHead(500, { 'X-Error-Code': EVIL }).end()
    })
    const bad = await runStress(['--url', hostile.url, '--rate', '10', '--minutes', '0.02'])
    expect(bad.code).to.equal(1)
    expect(htmlOf(bad)).not.to.include('<img')
    expect(words(htmlOf(bad))).to.include(`500 ${EVIL}`)
    expect(markdownOf(bad)).to.include('500 \\<img src=x onerror=alert(1)>\\|\\*')
    expect(markdownOf(bad)).not.to.match(/(?<!\\)<img/)
    await hostile.close()
  })

  describeInBrowser('in a browser', () => {
    const open = browserOfSuite()

    for (const [width, scheme] of [
      [1280, 'light'],
      [360, 'dark'],
    ] as const) {
      it(`is well-formed, whole and without barriers, ${width} pixels wide, ${scheme}`, async () => {
        const watched = await open({ width, scheme })
        const { page } = watched
        await page.goto(pathToFileURL(`${end.report}.html`).href)
        await expectNoFlaws(watched)
        const charts = await page
          .getByRole('img')
          .evaluateAll((all) => all.map((one) => one.getAttribute('aria-label')))
        expect(charts).to.deep.equal([...CHARTS, ...CHARTS])
        await screenshot(page, `stress-${width}-${scheme}`)
        // The parser of XML takes nothing that is not closed or quoted.
        const flaw = await page.evaluate(
          `((text) => new DOMParser().parseFromString(text, 'application/xhtml+xml').querySelector('parsererror')?.textContent ?? '')(${JSON.stringify(htmlOf(end))})`,
        )
        expect(flaw).to.equal('')
        expect(await barriers(page)).to.deep.equal([])
      })
    }
  })
})

const EVIL = '<img src=x onerror=alert(1)>|*'
const readiness = JSON.stringify({
  status: 'ready',
  models: { [EVIL]: { state: EVIL, device: EVIL, workers: [EVIL] } },
})
const list = JSON.stringify({ models: [{ name: EVIL, version: EVIL }] })

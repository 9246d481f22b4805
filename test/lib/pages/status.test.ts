import { setTimeout as delay } from 'node:timers/promises'
import { expect } from 'chai'
import type { StatusAnswer } from '../../../lib/routes/status.ts'
import { browserOfSuite, describeInBrowser, expectNoFlaws, type Page, WIDTHS } from '../../support/browser.ts'
import { expectGoodLooks, expectLittleWeight } from '../../support/page-checks.ts'
import { type Service, scripted, startService, until } from '../../support/service.ts'

const CALLERS = 32
const KEY = 'a-key-that-is-right'

describeInBrowser('The page /status', () => {
  const open = browserOfSuite()
  let service: Service

  before(async () => {
    service = await startService({ ...scripted({ predictMs: 60 }), LOG_LEVEL: 'info' })
    await service.ready()
  })
  after(() => service.stop())

  it('draws no line of failures when there are none, and a single call as a dot', async () => {
    const { page } = await open()
    await (await fetch(`${service.url}/model`, { method: 'POST', body: 'a picture by itself' })).arrayBuffer()
    await page.goto(`${service.url}/status`)
    await page.locator('[data-model] .line-1[d*="L"]').first().waitFor({ state: 'attached' })
    for (const line of await page.locator('[data-model] path.line-bad').all()) {
      expect(await line.getAttribute('d')).to.equal('')
    }
    const chart = page.locator('figure', { hasText: 'Time of a call' })
    const dots = chart.locator('.line-1.dots')
    await until(async () => (await dots.getAttribute('d'))?.endsWith('h0'), 'the dot')
    const width = "parseFloat(getComputedStyle(document.querySelector('.dots')).strokeWidth)"
    expect(await page.evaluate(width)).to.be.at.least(4)
    // The most important line is drawn above the others.
    expect(await chart.locator('.line').last().getAttribute('class')).to.include('line-1')
  })

  it('shows the load of 32 callers every second, with one request at a time', async () => {
    const watched = await open()
    const { page } = watched
    const polls = watchPolls(page)
    const load = callers(`${service.url}/model`)
    await page.goto(`${service.url}/status`)
    await noteUpdates(page)
    const shownAt = await until(async () => {
      const times = await page.evaluate<number[]>('window.shownAt')
      return times.length > 5 ? times : undefined
    }, 'five updates').finally(() => load.stop())
    const sampledAt = polls.answers.flatMap(({ samples }) => samples.t)
    expect(sampledAt.length, 'samples').to.be.greaterThan(4)
    expect(usualGap(sampledAt), 'between samples').to.be.lessThan(1500)
    expect(usualGap(shownAt), 'between updates').to.be.lessThan(1500)
    expect(polls.mostAtOnce).to.equal(1)
    expect(polls.answers.length / (polls.lastAt - polls.firstAt)).to.be.lessThan(1.5 / 1000)
    expect(Number(await figure(page, 'calls'))).to.be.greaterThan(20)
    expect(await figure(page, 'totalP95')).to.match(/^\d+ ms$/)
    expect(await page.locator('[data-model] .line-1.line').first().getAttribute('d')).to.match(/^M.*L/)
    await expectNoFlaws(watched)
  })

  it('describes each chart in words and as a table', async () => {
    const { page } = await open()
    await page.goto(`${service.url}/status`)
    const chart = page.locator('figure', { hasText: 'Time of a call' })
    await chart
      .getByRole('img', { name: /^Time of a call, the last 15 minutes\. Now: p50 .*Highest: / })
      .waitFor()
    await chart.locator('summary').focus()
    await page.keyboard.press('Enter')
    await chart.getByRole('table').getByRole('columnheader', { name: 'p95' }).waitFor()
    expect(await chart.getByRole('rowheader').first().textContent()).to.match(/^\d\d:\d\d$/)
  })

  it('counts a killed child as a restart, and marks the time in the chart', async () => {
    const { page } = await open()
    await page.goto(`${service.url}/status`)
    const answer = (await (await fetch(`${service.url}/status`, JSON_ONLY)).json()) as StatusAnswer
    process.kill(answer.models[0]?.workers[0]?.pid ?? 0, 'SIGKILL')
    await page.locator('[data-total="restarts"]', { hasText: '1' }).waitFor()
    await page.getByRole('img', { name: /^Images per second.*one restart\.$/ }).waitFor()
    await page.locator('[data-state]', { hasText: 'ready' }).waitFor()
  })

  it('sends no requests while the page is hidden', async () => {
    const { page } = await open()
    const polls = watchPolls(page)
    await page.goto(`${service.url}/status`)
    await until(() => polls.answers.length > 0, 'the first figures')
    await page.evaluate("Object.defineProperty(document, 'hidden', { value: true, configurable: true })")
    await delay(1100)
    const before = polls.answers.length
    await delay(1800)
    expect(polls.answers).to.have.length(before)
    await page.evaluate("delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))")
    await until(() => polls.answers.length > before, 'figures once the page is visible again')
    // The answer includes the missed samples.
    expect(polls.answers.at(-1)?.samples.t.length).to.be.greaterThan(1)
  })

  it('shows the figures as tables without JavaScript', async () => {
    const watched = await open({ javaScript: false, width: 360 })
    const { page } = watched
    await page.goto(`${service.url}/status`)
    expect(await figure(page, 'memory')).to.match(/^\d+(\.\d)? MB$/)
    expect(await figure(page, 'totalP99')).to.match(/^\d|–/)
    expect(await page.getByRole('row').count()).to.equal(5)
    const before = await page.locator('#updated').textContent()
    await delay(1100)
    await page.getByRole('link', { name: 'Refresh' }).click()
    expect(await page.locator('#updated').textContent()).not.to.equal(before)
    await expectNoFlaws(watched)
  })

  it('has less than 60 KB', async () => {
    const { page } = await open()
    const expectLight = expectLittleWeight(page)
    await page.goto(`${service.url}/status`)
    await page.locator('.line[d]').first().waitFor({ state: 'attached' })
    await expectLight()
  })

  it('asks for a required key, says when the service does not answer, and recovers', async () => {
    const guarded = { ...scripted({}), API_KEYS: KEY }
    const first = await startService(guarded)
    const { page } = await open()
    await page.goto(`${first.url}/status`)
    for (const key of ['a-key-that-is-wrong', KEY]) {
      await page.getByLabel('API key').fill(key)
      await page.getByRole('button', { name: 'Use this key' }).click()
      if (key !== KEY) await page.getByText('not one of the accepted keys').waitFor()
    }
    await until(async () => ((await figure(page, 'memory')) ?? '–') !== '–', 'figures')
    first.kill('SIGKILL')
    await first.exit
    const trouble = page.getByRole('status').filter({ hasText: 'has not answered since' })
    await trouble.waitFor()
    const second = await startService({ ...guarded, PORT: new URL(first.url).port })
    await trouble.waitFor({ state: 'hidden' })
    await page.locator('[data-state]', { hasText: 'ready' }).waitFor()
    expect(await page.locator('.charts figure').count()).to.equal(9)
    await second.stop()
  })

  for (const width of WIDTHS) {
    it(`is accessible and fits at ${width} px, light and dark`, async () => {
      const watched = await open({ width })
      const { page } = watched
      await page.goto(`${service.url}/status`)
      await page.locator('.line[d^="M"]').first().waitFor({ state: 'attached' })
      await expectGoodLooks(watched, `status-${width}`)
    })
  }
})

const JSON_ONLY = { headers: { Accept: 'application/json' } }

/** Keeps the model saturated: each caller sends the next image as soon as the last one is answered. */
function callers(url: string): { stop(): Promise<unknown> } {
  let isWanted = true
  let image = 0
  const caller = async () => {
    while (isWanted) {
      const answer = await fetch(url, { method: 'POST', body: `image ${image++}` })
      await answer.arrayBuffer()
    }
  }
  const all = Promise.all(Array.from({ length: CALLERS }, caller))
  return {
    stop() {
      isWanted = false
      return all
    },
  }
}

function watchPolls(page: Page) {
  const answers: StatusAnswer[] = []
  const polls = { answers, mostAtOnce: 0, firstAt: 0, lastAt: 0 }
  const isPoll = (url: string) => url.includes('/status?since=')
  let atOnce = 0
  page.on('request', (request) => {
    if (!isPoll(request.url())) return
    polls.mostAtOnce = Math.max(polls.mostAtOnce, ++atOnce)
    polls.lastAt = performance.now()
    polls.firstAt ||= polls.lastAt
  })
  page.on('requestfinished', (request) => void (isPoll(request.url()) && atOnce--))
  page.on('response', async (response) => {
    if (isPoll(response.url())) polls.answers.push((await response.json()) as StatusAnswer)
  })
  return polls
}

async function noteUpdates(page: Page): Promise<void> {
  await page.evaluate(`{
    window.shownAt = []
    new MutationObserver(() => shownAt.push(performance.now()))
      .observe(document.getElementById('updated'), { childList: true, characterData: true, subtree: true })
  }`)
}

function figure(page: Page, name: string): Promise<string | null> {
  const cell = page.locator(`[data-figure="${name}"]`).last()
  return cell.textContent()
}

/** The median: other work on the machine may hold all of it up for a moment. */
function usualGap(times: readonly number[]): number {
  const gaps = times.slice(1).map((time, i) => time - (times[i] ?? time))
  return gaps.sort((one, other) => one - other)[Math.floor(gaps.length / 2)] ?? Number.NaN
}

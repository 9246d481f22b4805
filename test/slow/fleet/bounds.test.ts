import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { percentile } from '../../../bench/statistics.ts'
import { PLACES } from '../../support/environment.ts'
import { describeFleet, TestFleet } from '../../support/fleet.ts'
import { closeAfterRun } from '../../support/leftovers.ts'
import { fromSources } from '../../support/program.ts'
import { allReady, type Service, scripted, startService, until } from '../../support/service.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { timesOf } from '../../support/times.ts'

const MINUTE_MS = 60_000
/** One or two milliseconds on a machine with nothing else to do. */
const AT_ONCE_MS = 50
const ROUNDS = 20

describeFleet('A web host whose calls RabbitMQ cannot take', function (rabbit) {
  this.timeout(3 * MINUTE_MS)
  let web: Service
  let model: Service
  const held = join(temporaryFolder(), 'held')
  const limits = { MAX_QUEUE: '5' }

  before(async () => {
    const env = { ...scripted({ version: 'one', heldBy: held }), ...limits, AMQP_URL: rabbit().url }
    ;[web, model] = await Promise.all([
      startService({ ...env, ROLE: 'web' }),
      startService({ ...env, ROLE: 'model', MAX_BATCH: '1' }),
    ])
    await Promise.all([allReady(web), allReady(model)])
  })
  after(async () => {
    rmSync(held, { force: true })
    await Promise.all([web?.stop(), model?.stop()])
  })

  const post = (body = 'x') => fetch(`${web.url}/model`, { method: 'POST', body })
  const mustRefuse = async () => {
    const answer = await post()
    expect([answer.status, answer.headers.get('x-error-code')]).to.deep.equal([503, 'ERR_QUEUE_FULL'])
    await answer.text()
  }
  const page = async () => {
    const answer = await fetch(`${web.url}/model`, { headers: { accept: 'text/html' } })
    expect(answer.status).to.equal(200)
    await answer.text()
  }
  const mustAnswerAtOnce = async () => {
    expect(percentile(await timesOf(ROUNDS, mustRefuse), 0.5)).to.be.below(AT_ONCE_MS)
    expect(percentile(await timesOf(ROUNDS, page), 0.5)).to.be.below(AT_ONCE_MS)
  }

  it('because the queue is full answers with 503 at once, and its pages as always', async () => {
    writeFileSync(held, '')
    // Another web host has filled the queue: the child holds two, RabbitMQ five.
    const fleet = new TestFleet(rabbit().url, 'model')
    const other = await fleet.startWeb({ maxQueue: 100 })
    const calls = Array.from({ length: 8 }, () =>
      other.call('predict', { image: Buffer.from('x') }).catch(() => undefined),
    )
    await until(() => other.stats().fleet?.refused === 1, 'a full queue')
    await mustAnswerAtOnce()
    const metrics = await (await fetch(`${web.url}/metrics`)).text()
    expect(metrics).to.contain(`tandem_fleet_refused_total{model="model"} ${ROUNDS}`)
    rmSync(held)
    await Promise.all(calls)
    fleet.close()
    expect((await post()).status).to.equal(200)
  })

  it('because of a memory alarm answers with 503 at once, and its pages as always', async () => {
    await rabbit().control('set_vm_memory_high_watermark', '0.00001')
    try {
      await mustRefuse()
      await mustAnswerAtOnce()
    } finally {
      await rabbit().control('set_vm_memory_high_watermark', '0.6')
    }
    await until(async () => (await post()).status === 200, 'an answer', MINUTE_MS)
  })
})

describeFleet('While RabbitMQ is away', function () {
  this.timeout(5 * MINUTE_MS)

  it('the memory of a web host stays flat, with clients that go on asking: npm run bench -- outage', async () => {
    const args = [...fromSources('bench/run.ts'), 'outage', '--minutes', '0.75', '--rows', '6']
    const bench = spawn(process.execPath, args, {
      env: { ...PLACES },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const unregister = closeAfterRun(() => bench.kill('SIGKILL'))
    let output = ''
    bench.stdout.on('data', (chunk) => (output += chunk))
    const [code] = await once(bench, 'close')
    unregister()
    expect(code).to.equal(0)
    const rows = output.split('\n').filter((line) => /^\| +\d|^\| \d/.test(line))
    expect(rows).to.have.length(6)
    const cells = rows.map((row) => row.split('|').map((cell) => cell.trim()))
    // Every request was refused, and there were many.
    for (const [, , , refused, others] of cells) {
      expect(Number(refused)).to.be.greaterThan(50)
      expect(others).to.equal('')
    }
    const most = /([\d.]+) MB in the first half, and ([\d.]+) MB in the second half/.exec(output)
    const [first, second] = (most ?? []).slice(1).map(Number)
    // The heap breathes by some ten megabytes. If one body in four stayed, memory would rise by more than this.
    const megabytes =
      (cells.slice(3).reduce((sum, [, , , refused]) => sum + Number(refused), 0) * 25_000) / 1e6
    expect(second).to.be.below((first ?? 0) + megabytes / 4)
    expect(output).to.match(/a model host answers ERR_IMAGE_\w+ to the same bytes/)
  })
})

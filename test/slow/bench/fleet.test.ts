import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import type { Figures } from '../../../bench/fleet/figures.ts'
import { runBench } from '../../support/bench.ts'
import { HAS_RABBITMQ } from '../../support/rabbitmq.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const suite = HAS_RABBITMQ ? describe : describe.skip

suite('npm run bench -- fleet', function () {
  this.timeout(300_000)
  const report = join(temporaryFolder(), 'figures.json')

  it('measures hosts behind a RabbitMQ of its own: no call is lost, doubled or answered wrongly', async () => {
    const small = ['--hosts', '1,2', '--seconds', '1', '--kills', '1', '--callers', '40']
    const { code, stdout, stderr } = await runBench('run', ['fleet', ...small, '--report', report])
    expect([code, stderr], stdout).to.deep.equal([0, ''])
    const { throughput, latency, failover, web, saturation, faults } = read()
    expect(throughput?.map(({ hosts }) => hosts)).to.deep.equal([1, 2])
    expect(latency?.rows.every(({ calls }) => calls > 0)).to.equal(true)
    expect(failover?.kills).to.have.length(1)
    expect(failover?.kills[0]?.underway).to.be.greaterThan(0)
    expect(web?.pages.every(({ asked }) => asked > 0)).to.equal(true)
    expect(saturation?.every(({ callsPerSecond }) => callsPerSecond > 0)).to.equal(true)
    expect(faults.asked).to.be.greaterThan(100)
    expect(stdout).to.contain(`${faults.asked} calls in all: 0 lost, 0 doubled, 0 wrong.`)
  })

  it('writes a report from which the simulation plans', async () => {
    const { code, stdout } = await runBench('simulate-fleet', ['--parts', 'plan', '--figures', report])
    expect(code).to.equal(0)
    expect(stdout).to.contain(`Figures measured on ${read().machine}`)
  })

  function read(): Figures {
    return JSON.parse(readFileSync(report, 'utf8')) as Figures
  }
})

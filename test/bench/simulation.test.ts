import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { Autoscaler } from '../../bench/simulation/autoscaler.ts'
import { Cell, type CellOptions } from '../../bench/simulation/cell.ts'
import { Clock } from '../../bench/simulation/clock.ts'
import { planFor } from '../../bench/simulation/plan.ts'
import { type Scenario, simulate } from '../../bench/simulation/simulate.ts'
import { runBench } from '../support/bench.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const ONE_BY_ONE: CellOptions = { secondsPerImage: 0.01, maxBatch: 1, prefetch: 2, maxQueue: 10_000, way: 0 }
const STEADY: Scenario = { cell: ONE_BY_ONE, hosts: 1, rate: () => 70, seconds: 2000, target: 1, seed: 1 }

interface Counts {
  answered: number[]
  refused: number
}

function cellOf(clock: Clock, options: Partial<CellOptions> = {}): { cell: Cell; counts: Counts } {
  const counts: Counts = { answered: [], refused: 0 }
  const cell = new Cell(
    clock,
    { ...ONE_BY_ONE, ...options },
    {
      answered: (latency) => counts.answered.push(Math.round(latency * 1000)),
      refused: () => counts.refused++,
    },
  )
  return { cell, counts }
}

describe('The simulation of a fleet', () => {
  it('lets events happen in the order of their times, and of their setting at the same time', () => {
    const clock = new Clock()
    const happened: string[] = []
    const times = [5, 3, 9, 3, 1, 7, 3, 8, 2, 6]
    for (const [i, time] of times.entries()) clock.at(time, () => happened.push(`${clock.now}:${i}`))
    clock.at(2, () => clock.after(2, () => happened.push(`${clock.now}:later`)))
    clock.runUntil(8)
    const expected = ['1:4', '2:8', '3:1', '3:3', '3:6', '4:later', '5:0', '6:9', '7:5', '8:7']
    expect(happened).to.deep.equal(expected)
  })

  it('agrees with the theory of queues: the mean wait at one host, for calls of constant length', () => {
    for (const [rate, load] of [
      [50, 0.5],
      [80, 0.8],
    ] as const) {
      const { mean, calls } = simulate({ ...STEADY, rate: () => rate })
      const wait = (load * 10) / (2 * (1 - load))
      expect(calls).to.be.within(rate * 1960, rate * 2040)
      expect(mean, `at a load of ${load}`).to.be.within((10 + wait) * 0.97, (10 + wait) * 1.03)
    }
  })

  it('is the same with the same seed, and another one with another seed', () => {
    const short = { ...STEADY, seconds: 60 }
    expect(simulate(short)).to.deep.equal(simulate(short))
    expect(simulate({ ...short, seed: 2 }).mean).not.to.equal(simulate(short).mean)
  })

  it('computes in batches: calls that wait together are answered together', () => {
    const clock = new Clock()
    const { cell, counts } = cellOf(clock, { maxBatch: 4, prefetch: 8, way: 0.001 })
    cell.addHost()
    for (let i = 0; i < 6; i++) cell.arrive()
    clock.runUntil(1)
    expect(counts.answered).to.deep.equal([11, 51, 51, 51, 51, 61])
  })

  it('refuses calls when the queue is full, and keeps those that wait for a host', () => {
    const clock = new Clock()
    const { cell, counts } = cellOf(clock, { maxQueue: 5 })
    for (let i = 0; i < 7; i++) cell.arrive()
    expect([cell.pending, counts.refused]).to.deep.equal([5, 2])
    cell.addHost()
    clock.runUntil(1)
    expect([cell.pending, counts.answered.length]).to.deep.equal([0, 5])
  })

  it('lets a host that leaves finish what it has, and gives it nothing more', () => {
    const clock = new Clock()
    const { cell, counts } = cellOf(clock)
    cell.addHost()
    for (let i = 0; i < 3; i++) cell.arrive()
    cell.removeHost()
    clock.runUntil(1)
    expect([cell.hosts, counts.answered, cell.pending]).to.deep.equal([0, [10, 20], 1])
  })

  it('counts the seconds over the target', () => {
    const spike = (second: number) => (second >= 20 && second < 40 ? 150 : 20)
    const { secondsOver, refused } = simulate({ ...STEADY, rate: spike, seconds: 200, target: 0.2 })
    expect(refused).to.equal(0)
    expect(secondsOver).to.be.within(20, 60)
    expect(simulate({ ...STEADY, rate: () => 20, seconds: 200, target: 0.2 }).secondsOver).to.equal(0)
  })

  for (const rule of [
    { by: 'rate', share: 0.5 },
    { by: 'length', seconds: 0.1 },
  ] as const) {
    it(`scales by ${rule.by}: new hosts come after their start, and leave after five quiet minutes`, () => {
      const clock = new Clock()
      const { cell } = cellOf(clock, { prefetch: 16 })
      let arrived = 0
      cell.addHost()
      const options = { rule, secondsPerImage: 0.01, least: 1, most: 3, start: 60 }
      new Autoscaler(clock, cell, options, () => arrived)
      const arrive = () => {
        arrived++
        cell.arrive()
        if (clock.now < 200) clock.after(1 / 200, arrive)
      }
      clock.at(0, arrive)
      const hostsAt = (time: number) => {
        clock.runUntil(time)
        return cell.hosts
      }
      expect([70, 80, 420, 600].map(hostsAt)).to.deep.equal([1, 3, 3, 1])
    })
  }

  it('plans cells that carry the rate without any one of them', () => {
    const measured = { machine: '', bytes: 25_000, rabbitPerCore: 8000, webPerCore: 700, way: 0.001 }
    const options = { measured, hostRate: 100, load: 0.7, cellRate: 4000, nodes: 3 }
    for (const rate of [100, 4000, 4001, 100_000]) {
      const { cells, nodes, modelHosts, webHosts } = planFor(rate, options)
      expect((cells - 1) * 4000, `${rate} images/s`).to.be.at.least(rate)
      expect((cells - 2) * 4000, `${rate} images/s`).to.be.below(rate)
      expect(nodes).to.equal(3 * cells)
      expect((modelHosts / cells) * (cells - 1) * 70).to.be.at.least(rate)
      expect((webHosts / cells) * (cells - 1) * 490).to.be.at.least(rate)
    }
    expect(planFor(100_000, options)).to.deep.include({ cells: 26, perCell: 100_000 / 26, megabytes: 100 })
  })
})

describe('bench/simulate-fleet.ts', function () {
  this.timeout(60_000)
  const figures = join(temporaryFolder(), 'figures.json')

  it('prints every part, from the figures of a report', async () => {
    const report = {
      machine: 'a machine',
      bytes: 25_000,
      latency: { added: 1 },
      web: { perSecond: 400, webCores: 0.5 },
      saturation: [{ bytes: 25_000, callsPerCore: 8000 }],
    }
    writeFileSync(figures, JSON.stringify(report))
    const small = ['--peak', '20', '--hours', '0.2', '--rates', '100000', '--host-rate', '10']
    const { code, stdout, stderr } = await runBench('simulate-fleet', ['--figures', figures, ...small])
    expect([code, stderr]).to.deep.equal([0, ''])
    expect(stdout).to.match(/^Figures measured on a machine\n/)
    expect(stdout).to.contain('A cell: at most 4000 calls/s')
    expect(stdout).to.match(/\| 100,000 +\| 26 +\| 3,846 /)
    for (const row of ['| 1 of 10 ', '| rate, 60 % load ', '| always as at the peak '])
      expect(stdout).to.contain(row)
  })

  it('says what is wrong with an option or a report, and ends with 2', async () => {
    writeFileSync(figures, JSON.stringify({ machine: 'a machine', bytes: 25_000 }))
    const { code, stderr } = await runBench('simulate-fleet', ['--figures', figures])
    expect([code, stderr]).to.deep.equal([
      2,
      `--figures must be a report with the parts latency, web and saturation, but "${figures}" is not.\n`,
    ])
  })
})

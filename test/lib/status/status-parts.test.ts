import { expect } from 'chai'
import { BusyTime } from '../../../lib/status/busy-time.ts'
import { LatencyReservoir } from '../../../lib/status/latency-reservoir.ts'
import { SAMPLES, SampleRing } from '../../../lib/status/sample-ring.ts'
import { figureText } from '../../../public/figure-words.js'

describe('the ring of samples', () => {
  it('keeps the newest of a quarter of an hour, the oldest first, and never more', () => {
    const ring = new SampleRing(['a', 'b'])
    for (let i = 0; i < 2500; i++) ring.add({ a: i, b: -i })
    expect(ring.length).to.equal(SAMPLES).and.equal(900)
    expect(ring.newest('a', 5000)).to.have.length(900)
    expect(ring.newest('a', 3)).to.deep.equal([2497, 2498, 2499])
    expect(ring.newest('b', 2)).to.deep.equal([-2498, -2499])
  })

  it('has nothing before the first sample, and says where a figure is missing', () => {
    const ring = new SampleRing(['a'])
    expect(ring.newest('a', 10)).to.deep.equal([])
    ring.add({ a: Number.NaN })
    expect(ring.newest('a', 10)).to.deep.equal([Number.NaN])
  })
})

describe('the latencies of a second', () => {
  it('have the percentiles by nearest rank, each stage its own', () => {
    const reservoir = new LatencyReservoir()
    for (let ms = 1; ms <= 100; ms++) {
      reservoir.add({ queue: 101 - ms, prepare: 1, predict: 2 * ms, total: 1000 })
    }
    expect(reservoir.take()).to.include({ queueP50: 50, queueP95: 95, queueP99: 99 })
    for (let ms = 1; ms <= 100; ms++) reservoir.add({ queue: 0, prepare: 1, predict: 2 * ms, total: 1000 })
    expect(reservoir.take()).to.include({ queueP99: 0, prepareP50: 1, predictP95: 190, totalP99: 1000 })
  })

  it('are missing, not zero, when no call has ended', () => {
    const reservoir = new LatencyReservoir()
    reservoir.add({ queue: 1, prepare: 1, predict: 1, total: 1 })
    reservoir.take()
    expect(Object.values(reservoir.take()))
      .to.have.length(12)
      .and.satisfy((all: number[]) => all.every(Number.isNaN))
  })

  it('are chosen fairly from any number of calls', () => {
    const reservoir = new LatencyReservoir()
    // Were the first or the last ones preferred, the median would be near an end.
    for (let i = 0; i < 50_000; i++) reservoir.add({ queue: i, prepare: i, predict: i, total: i })
    expect(reservoir.take().totalP50).to.be.within(15_000, 35_000)
  })
})

describe('the busy part of the time', () => {
  it('spreads a batch that took longer than a sample', () => {
    const busy = new BusyTime()
    busy.add(2500)
    const shown = [busy.take(1000, 0, 1), busy.take(1000, 0, 1), busy.take(1000, 0, 1), busy.take(1000, 0, 1)]
    expect(shown).to.deep.equal([1, 1, 0.5, 0])
  })

  it('counts a silent child that holds calls as busy, and its batch only once', () => {
    const busy = new BusyTime()
    const before = [busy.take(1000, 1, 1), busy.take(1000, 1, 1), busy.take(1000, 1, 1)]
    expect(before).to.deep.equal([0, 1, 1])
    busy.add(2500)
    expect([busy.take(1000, 0, 1), busy.take(1000, 0, 1)]).to.deep.equal([0.5, 0])
  })

  it('keeps no negative balance after calls that fail', () => {
    const busy = new BusyTime()
    for (let i = 0; i < 5; i++) busy.take(1000, 1, 1)
    busy.take(1000, 0, 1)
    busy.add(800)
    expect(busy.take(1000, 0, 1)).to.equal(0.8)
  })

  it('covers all children together', () => {
    const busy = new BusyTime()
    busy.add(1000)
    expect(busy.take(1000, 1, 4)).to.equal(0.25)
  })
})

describe('figures for people', () => {
  const texts = [
    [undefined, 'rate', '–'],
    [null, 'ms', '–'],
    [0, 'rate', '0'],
    [13.24, 'rate', '13.2'],
    [128.4, 'rate', '128'],
    [0.994, 'part', '99 %'],
    [64.96, 'ms', '65.0 ms'],
    [12_345, 'ms', '12.3 s'],
    [148_300_000, 'bytes', '148 MB'],
    [1_962_000_000, 'bytes', '1.96 GB'],
    [7.6, 'count', '8'],
  ] as const
  for (const [figure, kind, text] of texts) {
    it(`write ${figure} (${kind}) as ${text}`, () => expect(figureText(figure, kind)).to.equal(text))
  }
})

import { expect } from 'chai'
import { growth, type Life, lowestOf } from '../../../scripts/soak/growth.ts'

/** One point per second. */
function life(from: number, to: number, value: (seconds: number) => number): Life {
  return Array.from({ length: to - from }, (_, i) => ({ seconds: from + i, value: value(from + i) }))
}

describe('Growth by linear regression', () => {
  it('is the slope of a straight line, without a margin', () => {
    const grown = growth([life(600, 1200, (seconds) => 50 + seconds / 100)])
    expect(grown?.perHour).to.be.closeTo(36, 1e-6)
    expect(grown?.margin).to.be.closeTo(0, 1e-6)
    expect(grown?.seconds).to.equal(599)
  })

  it('is none of a line that only goes up and down, within the margin', () => {
    const grown = growth([life(0, 3600, (seconds) => 100 + (seconds % 60))])
    expect(Math.abs(grown?.perHour ?? Number.NaN)).to.be.below(grown?.margin ?? 0)
    expect(grown?.margin).to.be.below(3)
  })

  it('is what several lives have in common: a higher start is no growth', () => {
    const lives = [
      life(0, 100, (seconds) => 80 + seconds / 3600),
      life(0, 50, (seconds) => 95 + seconds / 3600),
      life(20, 200, (seconds) => 120 + seconds / 3600),
    ]
    expect(growth(lives)?.perHour).to.be.closeTo(1, 1e-6)
  })

  it('is unknown from few points, and from lives of a single point', () => {
    expect(growth([])).to.equal(undefined)
    expect(growth([life(0, 3, () => 1)])).to.equal(undefined)
    expect(growth([1, 2, 3, 4, 5].map((at) => life(at, at + 1, () => at)))).to.equal(undefined)
  })

  it('looks at what is left after each garbage collection', () => {
    const saw = life(0, 600, (seconds) => 100 + (seconds % 20) + seconds / 100)
    const lowest = lowestOf(saw, 30)
    expect(lowest).to.have.length(20)
    expect(growth([lowest])?.perHour).to.be.closeTo(36, 2)
  })
})

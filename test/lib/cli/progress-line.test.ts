import { expect } from 'chai'
import { ProgressLine } from '../../../lib/cli/progress-line.ts'

describe('The progress line', () => {
  let now = 0
  let written: string[]
  const terminal = (isTTY: boolean, columns = 80) => ({
    isTTY,
    columns,
    write: (text: string) => void written.push(text),
  })
  beforeEach(() => {
    now = 0
    written = []
  })

  it('says how many are done, how fast, how long it takes, and how many have failed', () => {
    const line = new ProgressLine(terminal(true), 1000, () => now)
    now = 4000
    line.update(100, 3)
    expect(written).to.deep.equal(['\r\x1b[K100 of 1000 · 25/s · 36 s left · 3 failed'])
  })

  it('is drawn ten times a second at most, and cleared before other text', () => {
    const line = new ProgressLine(terminal(true), 1000, () => now)
    for (let done = 1; done <= 300; done++) {
      now += 1
      line.update(done, 0)
    }
    expect(written).to.have.length(3)
    line.clear()
    line.clear()
    expect(written.slice(3)).to.deep.equal(['\r\x1b[K'])
  })

  it('is not drawn without a terminal, for one picture, and at the end', () => {
    for (const [isTTY, total] of [
      [false, 100],
      [true, 1],
    ] as const) {
      const line = new ProgressLine(terminal(isTTY), total, () => now)
      line.update(1, 0)
      line.clear()
    }
    new ProgressLine(terminal(true), 5, () => now).update(5, 0)
    expect(written).to.deep.equal([])
  })

  it('fits into a narrow terminal', () => {
    new ProgressLine(terminal(true, 12), 1000, () => now).update(1, 0)
    expect(written[0]?.replace('\r\x1b[K', '')).to.have.length(11)
  })
})

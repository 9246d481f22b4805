import { expect } from 'chai'
import { LiveTable } from '../../../scripts/stress/live-table.ts'
import { Recorder } from '../../../scripts/stress/recorder.ts'
import { ANSWERED } from '../../../scripts/stress/sender.ts'

/** What a terminal shows after all that was written to it: text, "up so many lines", and "clear what is below". */
function screenOf(text: string): string[] {
  let lines: string[] = []
  for (const part of text.replaceAll('\x1b', 'ESC').split(/(?=ESC\[\d+A)/)) {
    const [, up = '0', rest = part] = /^ESC\[(\d+)AESC\[J(.*)$/s.exec(part) ?? []
    lines = lines.slice(0, lines.length - Number(up))
    lines.push(...rest.split('\n').slice(0, -1))
  }
  return lines
}

function recorded(): Recorder {
  const recorder = new Recorder(10)
  const record = (outcome: string) => {
    recorder.began('POST /predict')
    recorder.ended('POST /predict', outcome, 1234)
  }
  record(ANSWERED)
  for (let i = 0; i < 7; i++) record(`500 ERR_${i}`)
  recorder.closeInterval()
  return recorder
}

describe('The live table of the stress test', () => {
  it('is drawn over itself on a terminal, however many lines it had', () => {
    let written = ''
    const output = { isTTY: true, columns: 200, write: (text: string) => (written += text) }
    const table = new LiveTable(output, { kind: 'closed', users: 100 }, 10)
    const empty = new Recorder(10)
    table.update(empty)
    const recorder = recorded()
    table.update(recorder)
    expect(screenOf(written)[0]).to.match(/^100 users, 0 of 10 s, 1\.00\/s, 0 open$/)
    table.end(recorder)
    const screen = screenOf(written)
    expect(screen[0]).to.match(/^100 users, 0 of 10 s, 1\.00\/s, over$/)
    expect(screen.filter((line) => line.startsWith('POST /predict'))).to.have.length(1)
    expect(screen.join('\n')).to.match(/POST \/predict\s+8\s+1\s+7\s+1\.23 s/)
    expect(screen.filter((line) => line.startsWith('1 × POST /predict: 500 ERR_'))).to.have.length(5)
    expect(screen).to.include('and 2 more kinds')
  })

  it('has no line that a narrow terminal would break', () => {
    let written = ''
    const output = { isTTY: true, columns: 30, write: (text: string) => (written += text) }
    new LiveTable(output, { kind: 'open', rate: 5 }, 10).update(recorded())
    expect(Math.max(...written.split('\n').map((line) => line.length))).to.be.at.most(29)
  })

  it('is a line now and then in a pipe, and one at the end, without control characters', () => {
    let written = ''
    const table = new LiveTable({ write: (text: string) => (written += text) }, { kind: 'open', rate: 5 }, 10)
    const recorder = recorded()
    for (let i = 0; i < 11; i++) table.update(recorder)
    table.end(recorder)
    const line = '5 arrivals/s, 0 of 10 s: 8 sent, 1 answered, 7 failed, p50 1.23 s, p99 1.23 s'
    expect(written).to.equal(`${line}\n${line}\n${line}, over\n`)
  })
})

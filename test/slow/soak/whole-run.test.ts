import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { OUTCOMES } from '../../../scripts/soak/tally.ts'
import { fixture, until } from '../../support/service.ts'
import { type SoakEnd, startSoak } from '../../support/soak.ts'
import { tableWith, toNumber } from '../../support/tables.ts'

const DIALECTS = [
  'POST /vgg, image',
  'POST /vgg, form',
  'POST /vgg, address',
  'POST /vgg as application/x-ndjson',
  'POST /api/predict, form',
  'POST /api/infer',
  'POST /predict, form',
  'POST /predictlabel, form',
  'POST /, form',
  'POST /feedback',
  'GET /',
]

describe('A soak test of the packaged model, with one kill', function () {
  this.timeout(90_000)
  let end: SoakEnd
  let markdown: string
  before(async () => {
    const args = ['--minutes', '0.18', '--kill-every', '2.5', '--callers', '4', '--models', 'digits']
    end = await startSoak(args, ['--workers', '1', '--spare-children', '1']).end
    markdown = end.code === null ? '' : readFileSync(`${end.report}.md`, 'utf8')
  })

  it('has a good verdict, and exit code 0', () => {
    expect([end.code, end.stderr], end.stdout).to.deep.equal([0, ''])
    expect(markdown).to.match(/^# Soak test: good\n/)
    const checks = tableWith('verdict', markdown)
    expect(checks.map(({ verdict }) => verdict)).to.not.include('BAD')
    const measured = Object.fromEntries(checks.map((row) => [row.check, row.measured]))
    expect(measured).to.include({
      'wrong answers': '0',
      'lost requests': '0',
      'hung requests': '0',
      'end after SIGTERM': 'exit 0',
    })
  })

  it('has killed the only child, and another one has taken over', () => {
    const facts = Object.fromEntries(tableWith('setting', markdown).map((row) => [row.setting, row.value]))
    expect(facts).to.include({ kills: '1, of 1 children' })
    // The first one and its spare, and perhaps already the next spare.
    expect(toNumber(facts['children started'])).to.be.within(2, 3)
  })

  it('counts every request once, in its row and in all', () => {
    const rows = tableWith('requests', markdown)
    const columns = ['asked', ...OUTCOMES, 'retries']
    const sums = Object.fromEntries(columns.map((column) => [column, 0]))
    for (const row of rows) {
      const ends = OUTCOMES.reduce((sum, outcome) => sum + toNumber(row[outcome]), 0)
      expect(ends, row.requests).to.equal(toNumber(row.asked))
      if (row.requests === 'all') continue
      for (const column of columns) sums[column] = (sums[column] ?? 0) + toNumber(row[column])
    }
    const all = rows.find(({ requests }) => requests === 'all')
    expect(sums).to.deep.equal(Object.fromEntries(columns.map((column) => [column, toNumber(all?.[column])])))
    expect(sums.right).to.be.greaterThan(10)
    expect(rows.map(({ requests }) => requests)).to.include.members(DIALECTS)
  })

  it('draws a picture that is well-formed, refers to nothing, has no script, and fits light and dark', () => {
    const svg = readFileSync(`${end.report}.svg`, 'utf8')
    expect(unclosedTags(svg)).to.deep.equal([])
    expect(svg).to.not.match(/<script|href=|url\(|NaN|undefined|Infinity/)
    expect(svg).to.include('prefers-color-scheme: dark')
    for (const line of ['web process', 'oldest child of digits', 'its active handles', 'queue', 'right'])
      expect(svg).to.include(`>${line}<`)
    // One path per line, and a line is more than a dot.
    expect([...svg.matchAll(/class="line line-1" d="M[^"]*L[^"]*L[^"]*"/g)]).to.have.length.of.at.least(6)
    expect([...svg.matchAll(/class="mark"/g)]).to.have.length(1)
  })
})

describe('A soak test of a service that exchanges labels after a while', function () {
  this.timeout(90_000)

  it('reports each wrong answer, also after Ctrl-C, and has exit code 1', async () => {
    const args = ['--minutes', '60', '--kill-every', '0', '--callers', '4', '--models', 'digits']
    const run = startSoak(args, ['--workers', '1', '--pipeline', fixture('lies.ts')])
    await until(() => /s: wrong: /.test(run.stdout()), 'a wrong answer', 60_000)
    run.child.kill('SIGINT')
    const end = await run.end
    expect([end.code, end.stderr], end.stdout).to.deep.equal([1, ''])
    const markdown = readFileSync(`${end.report}.md`, 'utf8')
    expect(markdown)
      .to.match(/^# Soak test: BAD\n/)
      .and.include('**Ended early')
    const bad = tableWith('verdict', markdown).filter(({ verdict }) => verdict === 'BAD')
    expect(bad.map(({ check }) => check)).to.deep.equal(['wrong answers'])
    const [fault] = tableWith('why', markdown)
    expect(fault?.outcome).to.equal('wrong')
    expect(fault?.why).to.match(/came (in place of|with)/)
    expect(readFileSync(`${end.report}.svg`, 'utf8')).to.include('BAD</title>')
  })
})

/** Tags that are closed by another tag, or by none. */
function unclosedTags(xml: string): string[] {
  const open: string[] = []
  for (const [, closing, name = '', selfClosing] of xml.matchAll(/<(\/?)([a-z]+)[^>]*?(\/?)>/g)) {
    if (selfClosing === '/') continue
    if (closing === '') open.push(name)
    else if (open.pop() !== name) return [name, ...open]
  }
  return open
}

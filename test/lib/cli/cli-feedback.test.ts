import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { runCommand } from '../../support/command.ts'
import { parseCsv } from '../../support/parse-csv.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const HEADER = 'time,request_id,image_sha256,model,version,prediction,score,report,source\r\n'
const row = (day: string, report: string, source = ',service') =>
  `2026-01-0${day}T00:00:00.000Z,id,,vgg16,1,cat,0.5,${report}${source}\r\n`

describe('tandem feedback', () => {
  const folder = temporaryFolder()
  const write = (host: string, name: string, text: string) => {
    mkdirSync(join(folder, host), { recursive: true })
    writeFileSync(join(folder, host, name), text)
  }
  const merge = (output: string, ...hosts: string[]) =>
    runCommand('feedback', ['merge', join(folder, output), ...hosts.map((host) => join(folder, host))])

  before(() => {
    write('a', 'feedback.csv', HEADER + row('3', 'dog') + row('5', '"two\r\nlines, ""quoted"""'))
    write('a', 'feedback-2026-1.csv', HEADER + row('1', 'mouse'))
    write('a', 'notes.txt', 'not a record')
    write('b', 'feedback.csv', `${HEADER}${row('3', 'dog')}${row('4', 'bird')}2026-01-06,cut off`)
    write('old', 'feedback.csv', HEADER.replace(',source', '') + row('2', 'horse', ''))
    write('other', 'feedback.csv', 'a,b\r\n1,2\r\n')
  })

  it('writes the records of all hosts into one file, sorted by time, each once', async () => {
    const { code, stdout } = await merge('all.csv', 'a', 'b', 'old')
    expect([code, stdout]).to.deep.equal([0, `${join(folder, 'all.csv')}: 5 records of 4 files\n`])
    const [header, ...records] = parseCsv(readFileSync(join(folder, 'all.csv')))
    expect(header?.join()).to.equal(HEADER.trimEnd())
    expect(records.map((cells) => cells[7])).to.deep.equal([
      'mouse',
      'horse',
      'dog',
      'bird',
      'two\r\nlines, "quoted"',
    ])
    expect(records.map((cells) => cells[8])).to.deep.equal(['service', '', 'service', 'service', 'service'])
  })

  it('lists the newest reports, and exports all', async () => {
    const env = { FEEDBACK_DIR: join(folder, 'a') }
    const list = await runCommand('feedback', ['list', '--count', '2'], env)
    expect(list.stdout).to.equal(
      '2026-01-03T00:00:00.000Z  vgg16  said cat; report: dog\n2026-01-05T00:00:00.000Z  vgg16  said cat; report: two??lines, "quoted"\n',
    )
    const json = await runCommand('feedback', ['export', '--ndjson'], env)
    const records = json.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(records.map(({ report }) => report)).to.deep.equal(['mouse', 'dog', 'two\r\nlines, "quoted"'])
    expect(records[0]).to.include({ request_id: 'id', image_sha256: '', score: '0.5', source: 'service' })
    const csv = await runCommand('feedback', ['export'], env)
    expect(csv.stdout).to.equal(
      HEADER + row('1', 'mouse') + row('3', 'dog') + row('5', '"two\r\nlines, ""quoted"""'),
    )
  })

  it('never overwrites a file, and refuses a file that is no record of feedback', async () => {
    const again = await merge('all.csv', 'a')
    expect([again.code, again.stderr]).to.deep.equal([
      1,
      `EEXIST: file already exists, open '${join(folder, 'all.csv')}'\n`,
    ])
    const other = await merge('new.csv', 'other')
    expect(other.code).to.equal(1)
    expect(other.stderr).to.contain('has other columns than a record of feedback')
    const without = await runCommand('feedback', ['merge'])
    expect([without.code, without.stdout]).to.deep.equal([2, ''])
  })
})

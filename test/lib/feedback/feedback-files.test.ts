import { execFile, execFileSync } from 'node:child_process'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { errorOf } from '../../support/broker.ts'
import {
  csvFiles,
  feedbackIn,
  HEADER,
  newFolder,
  recordsIn,
  recordsOf,
} from '../../support/feedback-folder.ts'

const WRITER = fileURLToPath(new URL('../../fixtures/write-feedback.ts', import.meta.url))
const report = 'x'.repeat(900)

describe('the files of feedback', () => {
  it('begin anew when a file has reached its size', async () => {
    const folder = newFolder()
    const feedback = feedbackIn(folder, { feedbackFileBytes: 4096 })
    for (let i = 0; i < 12; i++) await feedback.record({ requestId: String(i), report })
    const names = csvFiles(folder)
    // Five records of 900 characters are more than 4096 bytes.
    expect(names.map((name) => recordsIn(folder, [name]).length)).to.deep.equal([5, 5, 2])
    expect(names.at(-1)).to.equal('feedback.csv')
    for (const name of names.slice(0, -1)) expect(name).to.match(/^feedback-\d{8}T\d{9}Z-[0-9a-f]{8}\.csv$/)
    expect(recordsIn(folder).map(({ id }) => id)).to.deep.equal([...Array(12).keys()].map(String))
  })

  it('of an earlier process are continued', async () => {
    const folder = newFolder()
    await feedbackIn(folder).record({ requestId: 'earlier', report })
    await feedbackIn(folder).record({ requestId: 'later', report })
    expect(csvFiles(folder)).to.deep.equal(['feedback.csv'])
    expect(recordsIn(folder).map(({ id }) => id)).to.deep.equal(['earlier', 'later'])
  })

  it('can be moved away or deleted with their folder while the service runs', async () => {
    const folder = newFolder()
    const feedback = feedbackIn(folder)
    await feedback.record({ requestId: 'one', report })
    renameSync(join(folder, 'feedback.csv'), join(folder, 'mine.csv'))
    await feedback.record({ requestId: 'two', report })
    expect(recordsIn(folder, ['feedback.csv']).map(({ id }) => id)).to.deep.equal(['two'])
    rmSync(folder, { recursive: true })
    await feedback.record({ requestId: 'three', report })
    expect(recordsIn(folder).map(({ id }) => id)).to.deep.equal(['three'])
  })

  const broken: Record<string, (path: string) => void> = {
    'ends within a line': (path) => truncateSync(path, readFileSync(path).length - 10),
    'ends within quotes': (path) => appendFileSync(path, 'time,id,,,,,,"a report of\r\n two lines'),
    'ends with the zeros of a lost block': (path) => appendFileSync(path, Buffer.alloc(100)),
    'has been saved with other line ends': (path) =>
      writeFileSync(path, readFileSync(path, 'utf8').replaceAll('\r\n', '\n')),
    'has lost its header': (path) => writeFileSync(path, 'x,y\r\n'.repeat(100)),
    'is empty': (path) => truncateSync(path, 0),
  }
  for (const [what, harm] of Object.entries(broken)) {
    it(`begin anew after a file that ${what}, and that file is kept unchanged`, async () => {
      const folder = newFolder()
      const feedback = feedbackIn(folder)
      await feedback.record({ requestId: 'one', report })
      harm(join(folder, 'feedback.csv'))
      const before = readFileSync(join(folder, 'feedback.csv'))
      await feedback.record({ requestId: 'two', report })
      const [aside = '', ...rest] = csvFiles(folder)
      expect(rest).to.deep.equal(['feedback.csv'])
      expect(readFileSync(join(folder, aside))).to.deep.equal(before)
      expect(recordsIn(folder, rest).map(({ id }) => id)).to.deep.equal(['two'])
    })
  }

  it('never have a record after an incomplete record when a write is cut short', async () => {
    const folder = newFolder()
    mkdirSync(folder)
    // No file may grow beyond 4 KB: the fifth record is cut off within, as it would be by a disk that is full.
    const command = `ulimit -f 4 && echo go | "${process.execPath}" --import tsx "${WRITER}" "${folder}" 1000000 x 60`
    const { stdout } = await promisify(execFile)('bash', ['-c', command])
    expect(stdout).to.match(/Only \d+ of \d+ bytes could be written/)
    const done = Number(/(\d+) recorded/.exec(stdout)?.[1])
    const names = csvFiles(folder)
    expect(names.length).to.be.greaterThan(2)
    const whole = names.flatMap((name) => {
      const bytes = readFileSync(join(folder, name))
      return recordsOf(wholeRecords(bytes), name)
    })
    expect(whole).to.have.length(done)
    await feedbackIn(folder).record({ requestId: 'next', report })
    expect(recordsIn(folder, ['feedback.csv']).at(-1)?.id).to.equal('next')
  })

  it('are never links: nothing is written to the target of a link', async () => {
    const folder = newFolder()
    mkdirSync(folder)
    const target = join(folder, 'target')
    writeFileSync(target, `${HEADER}\r\n`)
    symlinkSync(target, join(folder, 'feedback.csv'))
    const cause = async () => (await errorOf(feedbackIn(folder).record({ requestId: 'x', report }))).cause
    expect(await cause()).to.include({ code: 'ELOOP' })
    rmSync(target)
    expect(await cause()).to.include({ code: 'ELOOP' })
    expect(existsSync(target)).to.equal(false)
  })

  it('are never pipes, on which the service would hang', async () => {
    const folder = newFolder()
    mkdirSync(folder)
    execFileSync('mkfifo', [join(folder, 'feedback.csv')])
    const error = await errorOf(feedbackIn(folder).record({ requestId: 'x', report }))
    expect(error.message).to.contain('must be a file')
  })
})

/** Without the beginning of a record at the end. */
function wholeRecords(bytes: Buffer): Buffer {
  for (let end = bytes.length; end > 0; end = bytes.lastIndexOf('\r\n', end - 3) + 2) {
    const part = bytes.subarray(0, end)
    try {
      recordsOf(part)
      return part
    } catch {
      if (end <= HEADER.length + 2) throw new Error('not even a header')
    }
  }
  return bytes
}

import { type ChildProcess, spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { expect } from 'chai'
import { csvFiles, feedbackIn, newFolder, recordsIn } from '../../support/feedback-folder.ts'
import { NASTY_TEXTS } from '../../support/nasty-texts.ts'
import { originalText } from '../../support/parse-csv.ts'
import { programArgs } from '../../support/program.ts'

const WRITER = programArgs('test/fixtures/write-feedback.ts')
const FILE_BYTES = 4096

describe('feedback from many clients at once', () => {
  const running: ChildProcess[] = []
  afterEach(() => {
    for (const child of running.splice(0)) child.kill('SIGKILL')
  })

  it('is recorded once each by one process, over several files', async () => {
    const folder = newFolder()
    const feedback = feedbackIn(folder, { feedbackFileBytes: FILE_BYTES })
    const ids = Array.from({ length: 200 }, (_, i) => `one-${i}`)
    await Promise.all(ids.map((requestId, i) => feedback.record({ requestId, report: textOf(i) })))
    expectAll(folder, ids)
    expect(csvFiles(folder).length).to.be.greaterThan(5)
  })

  it('is recorded once each by four processes in one folder, over several files', async () => {
    const folder = newFolder()
    const writers = ['a', 'b', 'c', 'd'].map((name) => startWriter(folder, name))
    await Promise.all(writers.map(({ ready }) => ready))
    const outputs = await Promise.all(writers.map(({ finish }) => finish()))
    expect(outputs).to.deep.equal(writers.map(() => ['100 recorded']))
    const ids = ['a', 'b', 'c', 'd'].flatMap((name) => Array.from({ length: 100 }, (_, i) => `${name}-${i}`))
    expectAll(folder, ids)
    expect(csvFiles(folder).length).to.be.greaterThan(5)
    // Nothing half-made stays either.
    expect(readdirSync(folder)).to.have.members(csvFiles(folder))
  })

  function startWriter(folder: string, name: string) {
    const args = [...WRITER, folder, String(FILE_BYTES), name, '100']
    const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    running.push(child)
    const lines: string[] = []
    const reader = createInterface(child.stdout)
    const ready = new Promise<void>((resolve) => reader.once('line', () => resolve()))
    reader.on('line', (line) => lines.push(line))
    const finish = async () => {
      child.stdin.write('go')
      await new Promise((resolve) => child.once('close', resolve))
      return lines.filter((line) => line !== 'ready')
    }
    return { ready, finish }
  }
})

function textOf(i: number): string {
  return NASTY_TEXTS[i % NASTY_TEXTS.length] ?? ''
}

/** Every record is there exactly once across the files, and reads as it was sent. */
function expectAll(folder: string, ids: readonly string[]): void {
  const records = recordsIn(folder)
  expect(records.map(({ id }) => id).sort()).to.deep.equal([...ids].sort())
  for (const { id, report } of records) {
    expect(originalText(report), id).to.equal(textOf(Number(id.split('-').at(-1))))
  }
}

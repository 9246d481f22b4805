import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import type { HttpError } from '../../../lib/http/errors.ts'
import { codeOf, errorOf } from '../../support/broker.ts'
import { csvFiles, feedbackIn, newFolder, recordsIn } from '../../support/feedback-folder.ts'
import { fill, mountFull } from '../../support/full-disk.ts'
import { startService } from '../../support/service.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const wrong = { requestId: 'x', report: 'wrong' }

describe('feedback on a disk that takes nothing', () => {
  it('is refused with ERR_FEEDBACK_FULL when the disk is full', async function () {
    const disk = mountFull(temporaryFolder())
    if (disk === undefined) return this.skip()
    try {
      fill(disk)
      const error = await errorOf(feedbackIn(join(disk, 'feedback')).record(wrong))
      expect(error).to.include({ code: 'ERR_FEEDBACK_FULL' })
      expect(error.cause).to.include({ code: 'ENOSPC' })
      expect(error.message).not.to.contain(disk)
      rmSync(join(disk, 'filler'))
      await feedbackIn(join(disk, 'feedback')).record(wrong)
    } finally {
      execFileSync('umount', [disk])
    }
  })

  it('is refused with ERR_FEEDBACK_UNWRITABLE when the disk is read-only', async function () {
    const disk = mountFull(temporaryFolder())
    if (disk === undefined) return this.skip()
    try {
      execFileSync('mount', ['-o', 'remount,ro', disk])
      const error = await errorOf(feedbackIn(join(disk, 'feedback')).record(wrong))
      expect(error).to.include({ code: 'ERR_FEEDBACK_UNWRITABLE' })
      expect(error.cause).to.include({ code: 'EROFS' })
      expect(error.message).not.to.contain(disk)
    } finally {
      execFileSync('umount', [disk])
    }
  })

  it('is refused with ERR_FEEDBACK_UNWRITABLE when a file or a folder is in the way, and only then', async () => {
    const folder = newFolder()
    const feedback = feedbackIn(folder)
    mkdirSync(join(folder, 'feedback.csv'), { recursive: true })
    const isFolder = await errorOf(feedback.record(wrong))
    expect(isFolder).to.include({ code: 'ERR_FEEDBACK_UNWRITABLE' })
    expect(isFolder.cause).to.include({ code: 'EISDIR' })
    expect(csvFiles(folder)).to.deep.equal(['feedback.csv'])
    rmSync(folder, { recursive: true })
    writeFileSync(folder, '')
    const isFile = await errorOf(feedback.record(wrong))
    expect(isFile).to.include({ code: 'ERR_FEEDBACK_UNWRITABLE' })
    expect(isFile.cause).to.include({ code: 'ENOTDIR' })
    rmSync(folder)
    await feedback.record(wrong)
    expect(recordsIn(folder)).to.have.length(1)
  })

  it('warns once for each reason, and again after a report could be stored', async () => {
    const folder = newFolder()
    const warnings: HttpError[] = []
    const feedback = feedbackIn(folder, { feedbackMaxBytes: 200 }, (error) => warnings.push(error))
    const full = { requestId: 'x', report: 'x'.repeat(300) }
    const refuse = async () => {
      writeFileSync(folder, '')
      for (let i = 0; i < 3; i++) {
        expect(await codeOf(feedback.record(wrong))).to.equal('ERR_FEEDBACK_UNWRITABLE')
      }
      rmSync(folder)
    }
    await feedback.record(wrong)
    rmSync(folder, { recursive: true })
    await refuse()
    for (let i = 0; i < 3; i++) expect(await codeOf(feedback.record(full))).to.equal('ERR_FEEDBACK_FULL')
    expect(warnings.map(({ code }) => code)).to.deep.equal(['ERR_FEEDBACK_UNWRITABLE', 'ERR_FEEDBACK_FULL'])
    await feedback.record({ requestId: 'x', report: 'y' })
    rmSync(folder, { recursive: true })
    await refuse()
    expect(warnings).to.have.length(3)
  })

  it('does not count an empty report or a long queue as a reason to warn', async () => {
    const warnings: HttpError[] = []
    const feedback = feedbackIn(newFolder(), {}, (error) => warnings.push(error))
    expect(await codeOf(feedback.record({ requestId: 'x', report: ' ' }))).to.equal('ERR_FEEDBACK_EMPTY')
    await Promise.allSettled(Array.from({ length: 1100 }, () => feedback.record(wrong)))
    expect(warnings).to.deep.equal([])
  })

  it('is answered with 507 and a sentence without a path, and logged once with the path', async () => {
    const service = await startService({ MODELS: 'digits', FEEDBACK_DIR: '/proc/feedback' })
    try {
      for (let i = 0; i < 3; i++) {
        const answer = await fetch(`${service.url}/feedback`, {
          method: 'POST',
          body: new URLSearchParams({ report: 'wrong' }),
          headers: { Accept: 'application/json' },
        })
        expect(answer.status).to.equal(507)
        const { error } = (await answer.json()) as { error: { code: string; message: string } }
        expect(error.code).to.equal('ERR_FEEDBACK_UNWRITABLE')
        expect(error.message).not.to.contain('/proc')
      }
      const warning = await service.line('reports cannot be stored')
      expect(JSON.stringify(warning)).to.contain('/proc/feedback')
    } finally {
      await service.stop()
    }
    expect(service.logs.filter(({ msg }) => msg === 'reports cannot be stored')).to.have.length(1)
    expect(service.logs.filter(({ msg }) => msg === 'request failed')).to.deep.equal([])
  })
})

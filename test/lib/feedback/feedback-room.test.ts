import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { expect } from 'chai'
import { createFolderSize } from '../../../lib/feedback/folder-size.ts'
import { codeOf, errorOf, until } from '../../support/broker.ts'
import { feedbackIn, newFolder, recordsIn } from '../../support/feedback-folder.ts'

const report = 'x'.repeat(900)
const image = Buffer.from('GIF89a and some more bytes')
const sha256 = createHash('sha256').update(image).digest('hex')

describe('the room for feedback', () => {
  it('is never exceeded: a full folder takes no more reports', async () => {
    const folder = newFolder()
    const feedback = feedbackIn(folder, { feedbackMaxBytes: 4096, feedbackFileBytes: 2000 })
    const all = Array.from({ length: 10 }, () => feedback.record({ requestId: 'x', report }))
    const outcomes = await Promise.allSettled(all)
    const codes = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason.code] : []))
    expect(codes).to.deep.equal(Array(10 - 4).fill('ERR_FEEDBACK_FULL'))
    expect(recordsIn(folder)).to.have.length(4)
    expect(bytesIn(folder)).to.be.lessThan(4096 + 100)
  })

  it('counts files from before the start, and each image as at least one block of the disk', async () => {
    const folder = newFolder()
    mkdirSync(join(folder, 'images'), { recursive: true })
    writeFileSync(join(folder, 'old.csv'), Buffer.alloc(3500))
    writeFileSync(join(folder, 'images', 'one.png'), Buffer.alloc(100))
    const feedback = feedbackIn(folder, { feedbackMaxBytes: 8192 })
    expect(await codeOf(feedback.record({ requestId: 'x', report }))).to.equal('ERR_FEEDBACK_FULL')
    await feedback.record({ requestId: 'x', report: 'short' })
  })

  it('is measured again after a while: room that became free is used', async () => {
    const path = newFolder()
    mkdirSync(path)
    writeFileSync(join(path, 'old.csv'), Buffer.alloc(1000))
    const size = createFolderSize([{ path, leastBytes: 0 }], 50)
    expect(await Promise.all([size.bytes(), size.bytes()])).to.deep.equal([1000, 1000])
    size.add(10)
    rmSync(join(path, 'old.csv'))
    expect(await size.bytes()).to.equal(1010)
    await until(async () => (await size.bytes()) === 0, 1000, 'the new size')
    size.add(10)
    expect(await size.bytes()).to.equal(10)
  })

  it('does not grow when the folder cannot be read', async () => {
    const path = newFolder()
    mkdirSync(path)
    writeFileSync(join(path, 'old.csv'), Buffer.alloc(1000))
    const size = createFolderSize([{ path, leastBytes: 0 }], 0)
    expect(await size.bytes()).to.equal(1000)
    rmSync(path, { recursive: true })
    writeFileSync(path, 'a file')
    for (let i = 0; i < 5; i++) {
      expect(await size.bytes()).to.equal(1000)
      await delay(10)
    }
  })
})

describe('a reported image', () => {
  it('is not stored by default', async () => {
    const folder = newFolder()
    await feedbackIn(folder).keepImage(sha256, image, 'gif')
    expect(existsSync(folder)).to.equal(false)
  })

  it('is stored once, readable only by the user of the service', async () => {
    const folder = newFolder()
    const feedback = feedbackIn(folder, { keepFeedbackImages: 'on' })
    const other = feedbackIn(folder, { keepFeedbackImages: 'on' })
    const keep = [feedback, other, feedback, other].map((each) => each.keepImage(sha256, image, 'gif'))
    await Promise.all(keep)
    expect(readdirSync(join(folder, 'images'))).to.deep.equal([`${sha256}.gif`])
    const path = join(folder, 'images', `${sha256}.gif`)
    expect(readFileSync(path)).to.deep.equal(image)
    expect(statSync(path).mode & 0o777).to.equal(0o600)
    expect(statSync(join(folder, 'images')).mode & 0o777).to.equal(0o700)
    const { mtimeMs, ino } = statSync(path)
    await feedback.keepImage(sha256, image, 'gif')
    expect(statSync(path)).to.include({ mtimeMs, ino })
  })

  it('counts towards the limit: an image that does not fit is not stored', async () => {
    const folder = newFolder()
    const feedback = feedbackIn(folder, { keepFeedbackImages: 'on', feedbackMaxBytes: 8192 })
    await feedback.keepImage(sha256, image, 'gif')
    const large = Buffer.alloc(4097)
    expect(await codeOf(feedback.keepImage('f'.repeat(64), large, 'gif'))).to.equal('ERR_FEEDBACK_FULL')
    await feedback.keepImage('e'.repeat(64), image, 'gif')
    expect(await codeOf(feedback.record({ requestId: 'x', report }))).to.equal('ERR_FEEDBACK_FULL')
    expect(readdirSync(join(folder, 'images'))).to.have.length(2)
  })

  it('is named by its SHA-256 alone', async () => {
    const folder = newFolder()
    const feedback = feedbackIn(folder, { keepFeedbackImages: 'on' })
    expect(await errorOf(feedback.keepImage('../../x', image, 'gif'))).to.be.instanceOf(TypeError)
  })
})

function bytesIn(folder: string): number {
  return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0)
}

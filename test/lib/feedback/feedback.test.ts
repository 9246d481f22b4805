import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { codeOf, errorOf } from '../../support/broker.ts'
import { feedbackIn, HEADER, newFolder, recordsIn } from '../../support/feedback-folder.ts'
import { NASTY_TEXTS } from '../../support/nasty-texts.ts'
import { originalText } from '../../support/parse-csv.ts'

const FACTS = {
  sha256: 'ab'.repeat(32),
  model: 'resnet50',
  version: 'keras-1',
  prediction: 'Eskimo_dog',
  score: 0.9346,
}

describe('feedback', () => {
  it('is a line of facts and the report, under a header', async () => {
    const folder = newFolder()
    await feedbackIn(folder).record({
      requestId: 'one',
      ...FACTS,
      report: 'a "husky", really',
      source: 'service',
    })
    const text = readFileSync(join(folder, 'feedback.csv'), 'utf8')
    expect(text).to.match(
      new RegExp(
        `^${HEADER}\r\n\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z,one,(ab){32},resnet50,keras-1,Eskimo_dog,0\\.9346,"a ""husky"", really",service\r\n$`,
      ),
    )
  })

  it('has empty fields for what is not known', async () => {
    const folder = newFolder()
    const feedback = feedbackIn(folder)
    await feedback.record({ requestId: 'one', report: 'wrong' })
    await feedback.record({ requestId: 'two', score: Number.NaN, report: 'wrong' })
    for (const record of recordsIn(folder)) {
      const { time, id, ...rest } = record
      expect(rest).to.deep.equal({
        sha256: '',
        model: '',
        version: '',
        prediction: '',
        score: '',
        report: 'wrong',
        source: '',
      })
    }
  })

  it('parses back to the text that was sent, whatever the text is', async () => {
    const folder = newFolder()
    const feedback = feedbackIn(folder)
    for (const text of NASTY_TEXTS) {
      await feedback.record({ requestId: 'x', model: text, version: text, prediction: text, report: text })
    }
    const records = recordsIn(folder)
    expect(records).to.have.length(NASTY_TEXTS.length)
    for (const [i, { model, version, prediction, report }] of records.entries()) {
      const read = [model, version, prediction, report].map(originalText)
      expect(new Set(read), NASTY_TEXTS[i]).to.deep.equal(new Set([NASTY_TEXTS[i]]))
    }
  })

  it('has no cell that begins like a formula', async () => {
    const folder = newFolder()
    const feedback = feedbackIn(folder)
    for (const report of NASTY_TEXTS) await feedback.record({ requestId: 'x', report })
    for (const { report } of recordsIn(folder)) {
      expect(report).not.to.match(/^[\s\u200b\u202e\ufeff]*[=+\-@＝＋－＠﹦]/u)
      expect(report).not.to.match(/^[\t\r\n]/)
    }
  })

  it('replaces what UTF-8 or a terminal cannot take, and nothing else', async () => {
    const folder = newFolder()
    const feedback = feedbackIn(folder)
    await feedback.record({ requestId: 'x', report: 'a\0b\u0007c\u001b[31md\u007fe\u0085f\tg' })
    await feedback.record({ requestId: 'x', report: '\ud83d alone \udc08, together 🐈' })
    expect(recordsIn(folder).map(({ report }) => report)).to.deep.equal([
      'a\ufffdb\ufffdc\ufffd[31md\ufffde\ufffdf\tg',
      '\ufffd alone \ufffd, together 🐈',
    ])
  })

  it('that is empty is refused, and stores nothing', async () => {
    const folder = newFolder()
    const feedback = feedbackIn(folder)
    for (const report of ['', ' ', '\r\n\t\u00a0\u3000\ufeff', '\u200b\u202e', '\0\0', '\ud800']) {
      expect(await codeOf(feedback.record({ requestId: 'x', report })), JSON.stringify(report)).to.equal(
        'ERR_FEEDBACK_EMPTY',
      )
    }
    expect(() => statSync(folder)).to.throw('ENOENT')
  })

  it('has at most 2000 characters, where the end of a line is one', async () => {
    const folder = newFolder()
    const feedback = feedbackIn(folder)
    const error = await errorOf(feedback.record({ requestId: 'x', report: 'x'.repeat(2001) }))
    expect(error.code).to.equal('ERR_BAD_REQUEST')
    expect(error.message).to.contain('2000').and.contain('2001')
    expect(await codeOf(feedback.record({ requestId: 'x', report: 'x\r\n'.repeat(1001) }))).to.equal(
      'ERR_BAD_REQUEST',
    )
    expect(await codeOf(feedback.record({ requestId: 'x', report: 'x'.repeat(2 ** 24) }))).to.equal(
      'ERR_BAD_REQUEST',
    )
    await feedback.record({ requestId: 'x', report: 'x\r\n'.repeat(1000) })
    expect(recordsIn(folder)).to.have.length(1)
  })

  it('can be read only by the user of the service', async () => {
    const folder = newFolder()
    await feedbackIn(folder).record({ requestId: 'x', report: 'wrong' })
    expect(statSync(folder).mode & 0o777).to.equal(0o700)
    expect(statSync(join(folder, 'feedback.csv')).mode & 0o777).to.equal(0o600)
  })

  it('is written completely before close() resolves, also reports that arrive while close() waits', async () => {
    const folder = newFolder()
    const feedback = feedbackIn(folder)
    const count = 50
    for (let i = 0; i < count; i++) void feedback.record({ requestId: String(i), report: 'wrong' })
    const closing = feedback.close()
    void feedback.record({ requestId: 'last', report: 'wrong' })
    await closing
    await feedback.close()
    expect(recordsIn(folder).map(({ id }) => id)).to.deep.equal([...Array(count).keys(), 'last'].map(String))
  })

  it('is refused when too many reports wait for a slow disk', async () => {
    const folder = newFolder()
    const feedback = feedbackIn(folder)
    const all = Array.from({ length: 1500 }, () => feedback.record({ requestId: 'x', report: 'wrong' }))
    const outcomes = await Promise.allSettled(all)
    const refused = outcomes.flatMap((outcome) =>
      outcome.status === 'rejected' ? [outcome.reason.code] : [],
    )
    expect(new Set(refused)).to.deep.equal(new Set(['ERR_QUEUE_FULL']))
    expect(recordsIn(folder)).to.have.length(1500 - refused.length)
    expect(refused.length).to.equal(1500 - 1024)
    await feedback.record({ requestId: 'x', report: 'wrong' })
  })
})

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import sharp from 'sharp'
import { NASTY_TEXTS } from '../../support/nasty-texts.ts'
import { originalText, parseCsv } from '../../support/parse-csv.ts'
import { type Service, startService } from '../../support/service.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

describe('A report to /feedback', () => {
  const folder = join(temporaryFolder(), 'feedback')
  let service: Service
  let picture: Buffer

  before(async () => {
    picture = await sharp({ create: { width: 30, height: 30, channels: 3, background: 'grey' } })
      .png()
      .toBuffer()
    service = await startService({ MODELS: 'digits', FEEDBACK_DIR: folder, KEEP_FEEDBACK_IMAGES: 'on' })
    await service.ready()
  })
  after(() => service.stop())

  const classify = (id: string, body: Buffer) =>
    fetch(`${service.url}/digits`, { method: 'POST', body, headers: { 'X-Request-Id': id } })
  const report = (body: object) =>
    fetch(`${service.url}/feedback`, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
    })

  it('without text stores nothing, not even the picture', async () => {
    await classify('first', picture)
    const answer = await report({ report: ' ', id: 'first' })
    expect([answer.status, answer.headers.get('X-Error-Code')]).to.deep.equal([400, 'ERR_FEEDBACK_EMPTY'])
    expect(existsSync(folder)).to.equal(false)
  })

  it('may be a number, and is recorded with the first answer under its id', async () => {
    const other = await sharp(picture).negate().png().toBuffer()
    const { predictions } = (await (await classify('first', other)).json()) as { predictions: object[] }
    expect(predictions).to.have.length(10)
    expect((await report({ report: 7, id: 'first' })).status).to.equal(200)
    const [, record] = parseCsv(readFileSync(join(folder, 'feedback.csv')))
    const [image] = readdirSync(join(folder, 'images'))
    expect(record?.[7]).to.equal('7')
    expect(image).to.equal(`${record?.[2]}.png`)
    expect(readFileSync(join(folder, 'images', String(image))).equals(picture)).to.equal(true)
  })

  it('of another shape is refused by its schema', async () => {
    const answer = await report({ report: ['7'] })
    expect([answer.status, answer.headers.get('X-Error-Code')]).to.deep.equal([400, 'ERR_BAD_REQUEST'])
  })

  it('is not lost among two hundred at once: each parses back to what was sent', async () => {
    // Of what is replaced, such as control characters, others tell.
    const texts = NASTY_TEXTS.filter((text) => text.length < 1000 && /^[\t\r\n -~\u00a0-\ud7ff]*$/.test(text))
    const sent = Array.from({ length: 200 }, (_, i) => `${texts[i % texts.length]} #${i}`)
    const answers = await Promise.all(sent.map((text) => report({ report: text })))
    expect(answers.map(({ status }) => status)).to.deep.equal(Array(200).fill(200))
    const [header, ...records] = parseCsv(readFileSync(join(folder, 'feedback.csv')))
    const recorded = records.map((record) => originalText(record[7] ?? ''))
    expect(recorded.filter((text) => / #\d+$/.test(text)).sort()).to.deep.equal([...sent].sort())
    expect(texts.length).to.be.greaterThan(20)
    expect(new Set(records.map(([, id]) => id)).size).to.equal(records.length)
    expect(header).to.have.length(9)
  })
})

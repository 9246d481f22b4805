import { expect } from 'chai'
import { newFolder, recordsIn } from '../../support/feedback-folder.ts'
import { tags, words } from '../../support/markup.ts'
import { four } from '../../support/pictures.ts'
import { ask } from '../../support/raw-http.ts'
import { type Service, startService } from '../../support/service.ts'

const BROWSER = 'Accept: text/html'
const FORM = 'Content-Type: application/x-www-form-urlencoded'

describe('Feedback for an answer that the service no longer knows', () => {
  const folder = newFolder()
  let service: Service
  const start = async () => {
    service = await startService({ MODELS: 'digits', DEVICE: 'cpu', FEEDBACK_DIR: folder })
    await service.ready()
  }
  before(start)
  after(() => service.stop())

  const report = (fields: Record<string, string>, accept = 'Accept: application/json') =>
    ask(service.url, 'POST /feedback', [FORM, accept], String(new URLSearchParams(fields)))
  const last = () => recordsIn(folder).at(-1)

  it('gets a note, and keeps the id and the answer that the page sends', async () => {
    const page = await ask(service.url, 'POST /digits', [BROWSER], await four())
    const inputs = tags(page.text, 'input').map(({ name = '', value = '' }) => [name, value])
    const { id = '', model = '', prediction = '' } = Object.fromEntries(inputs) as Record<string, string>
    expect([id, model, prediction]).to.deep.equal([page.headers.get('x-request-id'), 'digits', '4'])

    const known = await report({ report: 'nine', id, model: 'another', prediction: '8' })
    expect(known.text).to.equal('{"message":"Thanks for your feedback","success":true}')
    expect(last()).to.include({ id, model: 'digits', prediction: '4', report: 'nine', source: 'service' })

    await service.stop()
    await start()
    const unknown = await report({ report: 'nine', id, model, prediction })
    expect([unknown.status, unknown.json()]).to.deep.equal([
      200,
      {
        message: 'Thanks for your feedback',
        success: true,
        note: `The service no longer knows the answer "${id}": the report is recorded with the model and the prediction that the client sent, but without the image.`,
      },
    ])
    expect(last()).to.include({ id, model: 'digits', prediction: '4', report: 'nine', source: 'client' })
    expect(last()).to.include({ sha256: '', version: '', score: '' })
    const shown = await report({ report: 'nine', id }, BROWSER)
    expect(words(shown.text)).to.contain('Thanks for your feedback').and.contain(`the answer "${id}"`)
  })

  it('is recorded under its own request id if the report has no valid id', async () => {
    const without = await report({ report: 'x' })
    expect(without.json()).to.deep.equal({ message: 'Thanks for your feedback', success: true })
    expect(last()).to.include({ id: without.headers.get('x-request-id'), source: '' })
    for (const [fields, kept] of [
      [{}, 'without the model, the prediction and the image.'],
      [{ model: 'digits' }, 'with the model that the client sent, but without the image.'],
      [{ prediction: '4' }, 'with the prediction that the client sent, but without the image.'],
    ] as const) {
      const { note } = (await report({ report: 'x', id: 'unknown', ...fields })).json() as { note: string }
      expect(note).to.match(/^The service no longer knows the answer "unknown": the report is recorded /)
      expect(note.endsWith(`recorded ${kept}`), note).to.equal(true)
      expect(last()).to.include({ model: '', prediction: '', ...fields })
    }
    const odd = await report({ report: 'x', id: '=1+1\n' })
    expect(odd.text).to.contain('no longer knows the answer with this id')
    expect(last()?.id).to.equal(odd.headers.get('x-request-id'))
  })

  it('is refused if a claimed answer is longer than a line', async () => {
    for (const claim of ['model', 'prediction']) {
      const answer = await report({ report: 'x', id: 'y', [claim]: 'p'.repeat(201) })
      expect([answer.status, answer.headers.get('x-error-code')]).to.deep.equal([400, 'ERR_BAD_REQUEST'])
      expect(answer.text).to.contain(`"${claim} must have at most 200 characters, but has 201."`)
      expect((await report({ report: 'x', id: 'y', [claim]: 'p'.repeat(200) })).status).to.equal(200)
    }
  })
})

describe('GET /feedback', () => {
  let service: Service
  before(async () => {
    service = await startService({ MODELS: 'digits' })
  })
  after(() => service.stop())

  const get = async (accept: string) => ask(service.url, 'GET /feedback', [`Accept: ${accept}`])

  it('is a page with a form for browsers', async () => {
    const { text } = await get('text/html')
    const form = tags(text, 'form').find(({ action }) => action === '/feedback')
    expect(form?.method).to.equal('post')
    expect(tags(text, 'input').map(({ name }) => name)).to.deep.equal(['report', 'id'])
    expect(words(text)).to.contain(`${service.url}/feedback`)
  })

  it('says "Thanks for your feedback" in every form, but only for a report that is recorded', async () => {
    for (const accept of ['text/html', 'application/json', 'text/plain', '*/*']) {
      const { text } = await get(accept)
      expect(text, accept).to.match(/When (the|your) report is recorded, .*Thanks for your feedback/)
    }
  })

  it('is text for a program that accepts everything, and a page for browsers', async () => {
    const type = async (accept: string) => (await get(accept)).headers.get('content-type')
    expect(await type('*/*')).to.match(/^text\/plain/)
    expect(await type('text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8')).to.match(
      /^text\/html/,
    )
    const without = await ask(service.url, 'GET /feedback', [])
    expect(without.headers.get('content-type')).to.match(/^text\/plain/)
  })

  it('names the fields and a command for programs, as JSON or as text', async () => {
    const json = (await get('application/json')).json() as { fields: object; example: string }
    expect(Object.keys(json.fields)).to.deep.equal(['report', 'id', 'model', 'prediction'])
    expect(json.example).to.match(/^curl .* http:\/\/127\.0\.0\.1:\d+\/feedback$/)
    const text = await get('text/plain')
    expect(text.headers.get('content-type')).to.match(/^text\/plain/)
    expect(text.text).to.contain(json.example)
  })
})

import { createHash } from 'node:crypto'
import { expect } from 'chai'
import { fixture, type Service, scripted, startService } from '../../support/service.ts'

describe('POST /<model>', () => {
  let service: Service

  before(async () => {
    service = await startService({
      ...scripted({ failures: { broken: 'ERR_IMAGE_DECODE', odd: 'ERR_OF_ITS_OWN' } }),
      MAX_BODY_BYTES: '1kb',
    })
    await service.ready()
  })
  after(() => service.stop())

  const post = (path: string, body: string | null) => fetch(service.url + path, { method: 'POST', body })

  it('answers with the prediction and the time of each stage', async () => {
    const answer = (await (await post('/model', 'hello')).json()) as Record<string, unknown>
    expect(answer).to.include({ model: 'model', prediction: 'hello' })
    expect(answer.timing).to.have.all.keys('queue', 'prepare', 'predict', 'total')
  })

  it('refuses an empty body', () => expectError(post('/model', null), 400, 'ERR_INPUT_MISSING'))
  it('refuses an unknown model', () => expectError(post('/other', 'x'), 404, 'ERR_MODEL_UNKNOWN'))
  it('shows an error of the input', () => expectError(post('/model', 'broken'), 422, 'ERR_IMAGE_DECODE'))

  it('hides an error that it does not know, and logs it under the same id', async () => {
    const { requestId } = await expectError(post('/model', 'odd'), 500, 'ERR_INTERNAL')
    const line = await service.line('request failed')
    expect(line.requestId).to.equal(requestId)
    expect(line.err).to.include({ code: 'ERR_OF_ITS_OWN' })
  })

  it('says which methods a path takes', async () => {
    const response = await fetch(`${service.url}/model`, { method: 'DELETE' })
    expect(response.headers.get('Allow')).to.equal('GET, HEAD, POST')
    await expectError(Promise.resolve(response), 405, 'ERR_METHOD_NOT_ALLOWED')
  })

  it("passes JSON to the user's own pipeline", async () => {
    const body = '{"text":"hello"}'
    const headers = { 'Content-Type': 'application/json' }
    const answer = await (await fetch(`${service.url}/model`, { method: 'POST', body, headers })).json()
    expect(answer).to.include({ prediction: body })
  })
})

describe('the shape of an answer', () => {
  it('calls a list "predictions"', async () => {
    const service = await startService(scripted({ answer: ['cat', 'dog'] }))
    await service.ready()
    const answer = await (await fetch(`${service.url}/model`, { method: 'POST', body: 'x' })).json()
    expect(answer)
      .to.deep.include({ predictions: ['cat', 'dog'] })
      .and.not.to.have.property('prediction')
    await service.stop()
  })

  it('passes bytes to any pipeline and returns its answer', async () => {
    const service = await startService({ PIPELINE: fixture('sha256.ts'), MODELS: 'hash' })
    await service.ready()
    const body = Buffer.alloc(3_000_000, 7)
    const { prediction } = (await (await fetch(`${service.url}/hash`, { method: 'POST', body })).json()) as {
      prediction: string
    }
    expect(prediction).to.equal(createHash('sha256').update(body).digest('hex'))
    await service.stop()
  })
})

async function expectError(answer: Promise<Response>, status: number, code: string) {
  const response = await answer
  const { error } = (await response.json()) as { error: { code: string; requestId: string } }
  expect([response.status, error.code]).to.deep.equal([status, code])
  expect(error.requestId).to.equal(response.headers.get('X-Request-Id'))
  return error
}

import { expect } from 'chai'
import { four } from '../../support/pictures.ts'
import { ask } from '../../support/raw-http.ts'
import { type Service, scripted, startService, until } from '../../support/service.ts'

interface Listed {
  name: string
  state: string
  error: object | null
  version: string | null
  subject: string | null
  labels: number | null
  input: object | null
  output: object | null
}

describe('GET /models', () => {
  let service: Service
  before(async () => {
    service = await startService({ MODELS: 'digits', DEVICE: 'cpu' })
  })
  after(() => service.stop())

  const listed = async ({ url } = service) => {
    const { models } = (await ask(url, 'GET /models')).json() as { models: Listed[] }
    return models[0]
  }

  it('lists only name and state while a model starts', async () => {
    const starting = await startService(scripted({ startMs: 2500 }))
    const unknown = { version: null, subject: null, labels: null, input: null, output: null }
    expect(await listed(starting)).to.deep.equal({
      name: 'model',
      state: 'starting',
      error: null,
      ...unknown,
    })
    await starting.stop()
  })

  it('lists what is known of each model', async () => {
    await service.ready()
    const { version, ...others } = (await listed()) as Listed
    expect(others).to.deep.equal({
      name: 'digits',
      state: 'ready',
      error: null,
      subject: 'digit',
      labels: 10,
      input: { width: 28, height: 28, channels: 1, preprocessing: 'unit' },
      output: {
        kind: 'classes',
        shape: [10],
        inside: 'softmax',
        knownBy: 'last layer',
        applied: 'none',
        numbers: 'probabilities',
      },
    })
    expect(version).to.match(/^[0-9a-f]{16}$/)
  })

  it('is named in the error for an unknown model', async () => {
    for (const path of ['POST /none', 'POST /digits?model=none', 'GET /labels/none']) {
      const answer = await ask(service.url, path)
      expect([answer.status, answer.headers.get('x-error-code')]).to.deep.equal([404, 'ERR_MODEL_UNKNOWN'])
      expect(answer.text).to.contain(
        'No model called \\"none\\" is served; GET /models lists the served models.',
      )
    }
  })

  it('still knows the labels, the version and the guesses of a model whose child has died', async () => {
    const before = await listed()
    const labels = (await ask(service.url, 'GET /labels/digits')).json()
    expect(labels).to.have.length(10)
    const picture = await four()
    const { pid } = await service.line('child started')
    process.kill(Number(pid), 'SIGKILL')
    const whole = await until(async () => {
      const its = await listed()
      return its?.state === 'restarting' ? its : undefined
    }, 'the death of the child')
    const names = await ask(service.url, 'GET /labels/digits')
    const predicted = ask(service.url, 'POST /digits', [], picture)
    expect(whole.error).to.include({ code: 'ERR_CHILD_EXIT', permanent: false })
    expect(whole).to.deep.equal({ ...before, state: 'restarting', error: whole.error })
    expect(names.json()).to.deep.equal(labels)
    expect(((await predicted).json() as { predictions: object[] }).predictions).to.have.length(10)
  })
})

import { expect } from 'chai'
import { newFolder, recordsIn } from '../support/feedback-folder.ts'
import { four } from '../support/pictures.ts'
import { allReady, type Service, startService, until } from '../support/service.ts'

const MODELS = { VGG_MODEL: 'digits', API_MODEL: 'digits', PREDICT_MODEL: 'digits', DIGITS_MODEL: 'digits' }
/** Each of them with the name of its file in a form. */
const PREDICTING = {
  '/vgg': 'image',
  '/digits': 'image',
  '/digits?top=3': 'image',
  '/api/predict': 'image',
  '/predictlabel': 'image',
  '/predict': 'file',
}

interface Answer {
  /** without what differs from one request to the next */
  readonly body: unknown
  readonly id: string
}

describe('While a child is started again', () => {
  let service: Service
  let image: Blob
  const folder = newFolder()
  before(async function () {
    this.timeout(60_000)
    image = new Blob([new Uint8Array(await four())])
    service = await startService({
      MODELS: 'digits',
      DEVICE: 'cpu',
      FEEDBACK_DIR: folder,
      CACHE_ENTRIES: '0',
      SPARE_CHILDREN: '0',
      // The last digits of a probability depend on the size of the batch.
      MAX_BATCH: '1',
      ...MODELS,
    })
    await allReady(service)
  })
  after(() => service.stop())

  it('all answers are those of before: guesses, labels, what is known of the model, and the record of a report', async () => {
    const before = await Promise.all(Object.entries(PREDICTING).map(([path, field]) => predict(path, field)))
    const facts = await told()
    const goOn = await kill()
    const during = await Promise.all([
      ...Object.entries(PREDICTING).map(([path, field]) => predict(path, field)),
      told().then((during) => {
        expect(during).to.deep.equal({ ...facts, state: 'restarting', error: during.error })
        goOn()
      }),
      ...before.map(({ id }) => report(id)),
    ])
    const answers = during.slice(0, before.length) as Answer[]
    expect(answers.map(({ body }) => body)).to.deep.equal(before.map(({ body }) => body))
    for (const { id } of answers) await report(id)
    const records = recordsIn(folder)
    const recorded = records.map(({ model, version, prediction, score, source }) => ({
      model,
      version,
      prediction,
      score,
      source,
    }))
    const [first] = recorded
    expect(first).to.include({ model: 'digits', prediction: '4', source: 'service', version: facts.version })
    expect(recorded).to.deep.equal(Array(2 * before.length).fill(first))
  }).timeout(60_000)

  async function predict(path: string, field: string): Promise<Answer> {
    const body = new FormData()
    body.set(field, image, 'four.png')
    const answer = await fetch(service.url + path, { method: 'POST', body })
    expect(answer.status, path).to.equal(200)
    const id = answer.headers.get('X-Request-Id') ?? ''
    const timeless = (key: string, value: unknown) =>
      /^(timing|predicted_at|id)$/.test(key) ? undefined : value
    return { body: JSON.parse(await answer.text(), timeless), id }
  }

  /** What /models and /labels say. */
  async function told() {
    const { models } = (await get('/models')) as { models: Record<string, unknown>[] }
    return { ...models[0], labels: await get('/labels/digits') } as Record<string, unknown>
  }

  async function get(path: string): Promise<unknown> {
    return (await fetch(service.url + path)).json()
  }

  async function report(id: string): Promise<void> {
    const answer = await fetch(`${service.url}/feedback`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
      body: JSON.stringify({ id, report: 'nine' }),
    })
    expect(await answer.json()).to.deep.equal({ message: 'Thanks for your feedback', success: true })
  }

  /** Kills the child, and stops the next one before it is ready. Returns what lets the next one go on. */
  async function kill(): Promise<() => void> {
    for (;;) {
      const started = pids()
      process.kill(started.at(-1) ?? 0, 'SIGKILL')
      await until(() => pids().length > started.length, 'the next child')
      const next = pids().at(-1) ?? 0
      process.kill(next, 'SIGSTOP')
      // On a busy machine, the child may be ready before this process notices its start.
      if ((await told()).state === 'restarting') return () => process.kill(next, 'SIGCONT')
      process.kill(next, 'SIGCONT')
    }
  }

  const pids = () => service.logs.filter(({ msg }) => msg === 'child started').map(({ pid }) => Number(pid))
})

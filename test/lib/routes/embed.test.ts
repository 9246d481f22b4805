import { cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { golden } from '../../support/golden.ts'
import { one } from '../../support/pictures.ts'
import { allReady, type Service, startService } from '../../support/service.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const DIGITS = fileURLToPath(new URL('../../../weights/digits', import.meta.url))

interface Embedding {
  model: string
  shape: number[]
  features: number[]
  timing: { total: number; cached?: true }
}

describe('POST /embed', () => {
  let service: Service
  let picture: Buffer
  before(async function () {
    this.timeout(60_000)
    const folder = temporaryFolder()
    cpSync(golden('answers', 'head-feature-map.h5'), join(folder, 'map.h5'))
    writeFileSync(join(folder, 'map.json'), '{"kind": "features", "preprocessing": "tf"}')
    cpSync(DIGITS, join(folder, 'vector'), { recursive: true })
    writeFileSync(join(folder, 'vector.json'), '{"kind": "features", "preprocessing": "unit"}')
    cpSync(golden('classes', 'head-two-outputs', 'keras3.keras'), join(folder, 'two.keras'))
    writeFileSync(join(folder, 'two.json'), '{"preprocessing": "tf"}')
    service = await startService({
      MODELS: 'map,vector,digits,two',
      WEIGHTS_DIR: folder,
      DEVICE: 'cpu',
      SPARE_CHILDREN: '0',
    })
    picture = await one()
    await allReady(service)
  })
  after(() => service.stop())

  const post = (query: string, accept = 'application/json', path = '/embed') =>
    fetch(`${service.url}${path}${query}`, { method: 'POST', body: picture, headers: { Accept: accept } })
  const embedded = async (query: string) => (await (await post(query)).json()) as Embedding

  it('answers with the features of the first model that has some', async () => {
    const { model, shape, features } = await embedded('')
    expect([model, shape]).to.deep.equal(['map', [4, 3, 5]])
    expect(features).to.have.length(60)
    expect(new Set(features).size).to.be.greaterThan(10)
    expect((await embedded('?model=vector')).shape).to.deep.equal([10])
  })

  it('averages a map and normalises a vector on request, also from the cache', async () => {
    const { features } = await embedded('')
    const mean = Array.from(
      { length: 5 },
      (_, channel) => features.filter((_, i) => i % 5 === channel).reduce((a, b) => a + b) / 12,
    )
    const pooled = await embedded('?pool=mean')
    expect(pooled.shape).to.deep.equal([5])
    expect(pooled.timing.cached).to.equal(true)
    const length = Math.hypot(...mean)
    const normalized = await embedded('?pool=mean&normalize=true')
    for (const [i, value] of mean.entries()) {
      expect(pooled.features[i]).to.be.closeTo(value, 1e-6)
      expect(normalized.features[i]).to.be.closeTo(value / length, 1e-6)
    }
  })

  it('answers in bytes: floats of 32 bits, the lowest byte first', async () => {
    const answer = await post('?pool=none', 'application/octet-stream')
    expect(answer.headers.get('Content-Type')).to.equal('application/octet-stream')
    expect(answer.headers.get('X-Shape')).to.equal('4,3,5')
    const bytes = Buffer.from(await answer.arrayBuffer())
    const { features } = await embedded('')
    expect(bytes).to.have.length(240)
    for (const [i, value] of features.entries()) expect(bytes.readFloatLE(4 * i)).to.equal(value)
  })

  it('refuses a model with classes, and a dialect refuses a model with features', async () => {
    const wrong = await post('?model=digits')
    expect([wrong.status, wrong.headers.get('x-error-code')]).to.deep.equal([400, 'ERR_MODEL_KIND'])
    expect(await wrong.text()).to.contain('"kind\\": \\"features')
    // Before the image is read.
    const early = await fetch(`${service.url}/embed?model=digits`, { method: 'POST' })
    expect(early.headers.get('x-error-code')).to.equal('ERR_MODEL_KIND')
    const dialect = await post('?model=map', 'application/json', '/api/predict')
    expect(dialect.status).to.be.greaterThan(399)
  })

  it('leaves the routes for classes to the models that have some', async () => {
    const answer = await post('', 'application/json', '/predictlabel')
    expect(((await answer.json()) as { most_probable_label: string }).most_probable_label).to.equal('1')
    const own = (await (await post('', 'application/json', '/map')).json()) as Embedding
    expect([own.shape, own.features.length]).to.deep.equal([[4, 3, 5], 60])
  })

  it('has the other outputs of a model beside the served one, also from the cache', async () => {
    interface Answer {
      model: string
      predictions: { name: string; probability: number }[]
      outputs: Record<string, { shape: number[]; values: number[] }>
      timing: { cached?: true }
    }
    const answers: Answer[] = []
    for (const path of ['/two', '/vgg', '/two'])
      answers.push(
        (await (await post(path === '/vgg' ? '?model=two' : '', undefined, path)).json()) as Answer,
      )
    const [first, vgg, second] = answers
    expect(Object.keys(first ?? {})).to.deep.equal(['model', 'predictions', 'outputs', 'timing'])
    expect(first?.predictions).to.have.length(5)
    expect(first?.outputs.real?.shape).to.deep.equal([1])
    expect(first?.outputs.real?.values[0]).to.be.within(0.1, 0.9)
    expect([vgg?.outputs, second?.outputs]).to.deep.equal([first?.outputs, first?.outputs])
    expect(second?.timing.cached).to.equal(true)
    const page = await (await fetch(`${service.url}/two`, { headers: { Accept: 'text/html' } })).text()
    expect(page).to.contain('JSON answers also have the numbers of real (1).')
    // The formats of the older services have the fields of their own time alone.
    const body = new FormData()
    body.set('image', new Blob([new Uint8Array(picture)]), 'one.png')
    const older = await fetch(`${service.url}/api/predict?model=two`, { method: 'POST', body })
    const { success, message } = (await older.json()) as { success: boolean; message: object }
    expect([success, Object.keys(message)]).to.deep.equal([true, ['predictions', 'predicted_at']])
  })

  it('says on the page and in the list what a model answers with', async () => {
    const page = await (await fetch(`${service.url}/map`, { headers: { Accept: 'text/html' } })).text()
    expect(page).to.contain('Answers with features: 4 × 3 × 5 numbers')
    const { models } = (await (await fetch(`${service.url}/models`)).json()) as {
      models: { name: string; labels: number | null; output: { kind: string } }[]
    }
    expect(models.map(({ name, labels, output }) => [name, labels, output.kind])).to.deep.equal([
      ['map', null, 'features'],
      ['vector', null, 'features'],
      ['digits', 10, 'classes'],
      ['two', 5, 'classes'],
    ])
    const shown = await (await post('', 'text/html', '/map')).text()
    expect(shown).to.contain('4 × 3 × 5 numbers: ')
  })
})

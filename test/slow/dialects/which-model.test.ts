import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect } from 'chai'
import { ownModel } from '../../support/digit-folders.ts'
import { scriptedModels } from '../../support/exact-service.ts'
import { words } from '../../support/markup.ts'
import { fileAs } from '../../support/multipart-as.ts'
import { four } from '../../support/pictures.ts'
import { ask, type RawAnswer } from '../../support/raw-http.ts'
import { allReady, type Service, scripted, startService, until } from '../../support/service.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

/** A network for pictures of things, and one for digits that only its settings tell from it. */
const THINGS = ownModel('things', { labels: 'labels.txt' })
const MNIST = ownModel('mnist', { subject: 'digit' })
const BROWSER = 'Accept: text/html'
const SETTINGS = {
  '/vgg': 'VGG_MODEL',
  '/api/predict': 'API_MODEL',
  '/api/infer': 'INFER_MODEL',
  '/predict': 'PREDICT_MODEL',
  '/': 'PREDICT_MODEL',
}
type Route = keyof typeof SETTINGS
const ROUTES = Object.keys(SETTINGS) as Route[]

describe('The model behind a route that names none', () => {
  let service: Service | undefined
  let picture: Buffer

  before(async () => {
    picture = await four()
  })
  afterEach(async () => {
    await service?.stop()
    service = undefined
  })

  async function start(env: Record<string, string>, models?: readonly string[]): Promise<void> {
    service = await startService({
      DEVICE: 'cpu',
      WEIGHTS_DIR: temporaryFolder(),
      FEEDBACK_DIR: temporaryFolder(),
      ...env,
    })
    if (models === undefined) return allReady(service)
    for (const model of models) await becomes(model, 'ready')
  }

  async function becomes(model: string, wanted: string): Promise<void> {
    const state = async () => {
      const { models } = (await ask(service?.url ?? '', 'GET /readyz')).json() as {
        models: Record<string, { state: string }>
      }
      return models[model]?.state
    }
    await until(async () => (await state()) === wanted, `${model} is ${wanted}`, 60_000)
  }
  const failed = (model: string) => becomes(model, 'failed')

  async function send(path: string): Promise<RawAnswer> {
    const url = service?.url ?? ''
    if (path === '/api/infer') {
      const images = [`data:;base64,${picture.toString('base64')}`]
      return ask(url, 'POST /api/infer?threshold=0', [], JSON.stringify({ images }))
    }
    const { headers, body } = fileAs(
      'requests',
      path.startsWith('/predict?') || path === '/predict' || path === '/' ? 'file' : 'image',
      picture,
    )
    return ask(url, `POST ${path}`, headers, body)
  }

  /** Status and code, in whatever shape they come. */
  const failure = ({ status, headers }: RawAnswer) => [status, headers.get('x-error-code')]

  it('is never the digit network for photographs; the error names the setting that would choose it', async () => {
    await start({ MODELS: 'digits' })
    for (const path of ROUTES) {
      const answer = await send(path)
      expect(failure(answer), path).to.deep.equal([503, 'ERR_MODEL_NONE'])
      expect(answer.headers.has('retry-after')).to.equal(false)
      if (path !== '/predict') expect(answer.text, path).to.contain(SETTINGS[path])
    }
    expect((await send('/predictlabel')).text).to.contain('"most_probable_label":"4"')
    expect((await send('/digits')).status).to.equal(200)
    expect((await send('/predict?model=digits')).status).to.equal(200)
  })

  it('can be missing: pages then show a sentence in place of the form', async () => {
    await start({ MODELS: 'digits' })
    const home = await ask(service?.url ?? '', 'GET /', [BROWSER])
    expect(home.text).not.to.match(/action="\/"|href="\/vgg"/)
    expect(words(home.text)).to.contain('PREDICT_MODEL must name the model').and.contain('Answered by digits')
    const page = await ask(service?.url ?? '', 'GET /vgg', [BROWSER])
    expect(failure(page)).to.deep.equal([503, 'ERR_MODEL_NONE'])
    expect(page.text).to.contain('VGG_MODEL').and.not.contain('<form')
  })

  it('is the model that a setting names, whatever its subject is', async () => {
    const models = Object.fromEntries(Object.values(SETTINGS).map((setting) => [setting, 'digits']))
    await start({ MODELS: `digits,${THINGS}`, ...models, DIGITS_MODEL: 'things' })
    for (const path of ROUTES) expect((await send(path)).text, path).to.match(/\b4\b/)
    expect((await send('/predictlabel')).text).to.contain('"label":"thing 0"')
    expect((await ask(service?.url ?? '', 'GET /', [BROWSER])).text).to.match(/action="\/"/)
  })

  it('is chosen by the subject that the child reports, if the name says nothing', async () => {
    await start({ MODELS: `${MNIST},${THINGS}` })
    for (const path of ROUTES) expect((await send(path)).text, path).to.match(/thing[ _]\d/)
    expect((await send('/predictlabel')).text).to.contain('"most_probable_label":"class_4"')
  })

  it('is not one that has failed, if another model fits; a setting is obeyed all the same', async () => {
    // A child that never starts reports no subject.
    const broken = ownModel('broken', { subject: 'digit', labels: 'missing.txt' })
    await start({ MODELS: `${broken},${THINGS}`, API_MODEL: 'broken' }, ['things'])
    await failed('broken')
    for (const path of ROUTES.filter((path) => path !== '/api/predict')) {
      expect((await send(path)).text, path).to.match(/thing[ _]\d/)
    }
    expect(failure(await send('/api/predict'))).to.deep.equal([503, 'ERR_NOT_READY'])
  })

  it('is one that has failed, if no other model fits: the error says why', async () => {
    await start({ MODELS: `digits,${ownModel('broken', { labels: 'missing.txt' })}` }, ['digits'])
    await failed('broken')
    const answer = await send('/vgg')
    expect(failure(answer)).to.deep.equal([503, 'ERR_NOT_READY'])
    expect(answer.text).to.contain('missing.txt')
  })

  it('is the original model again as soon as its file has been corrected', async () => {
    const original = ownModel('vgg16', { labels: 'late.txt', preprocessing: 'unit' })
    await start({ MODELS: `${THINGS},${original}` }, ['things'])
    await failed('vgg16')
    expect((await send('/vgg')).text).to.contain('"model":"things"')
    const labels = join(dirname(dirname(original.replace('vgg16=', ''))), 'late.txt')
    writeFileSync(labels, Array.from({ length: 10 }, (_, i) => `late ${i}`).join('\n'))
    await until(
      async () => (await send('/vgg')).text.includes('"model":"vgg16"'),
      'the original model',
      30_000,
    )
  })

  it('is the original model as long as the start of that model is retried', async () => {
    await start(scriptedModels({ vgg16: { failStart: 'no memory' }, other: { answer: [] } }), ['other'])
    await failed('vgg16')
    expect((await send('/vgg')).text).to.contain('no memory')
  }).timeout(90_000)

  it('is never a model with the classes of photographs for digits', async () => {
    await start({ MODELS: THINGS })
    expect(failure(await send('/predictlabel'))).to.deep.equal([503, 'ERR_MODEL_NONE'])
    expect((await send('/vgg')).text).to.contain('"model":"things"')
  })

  it('may be a network with ten classes called 0 to 9', async () => {
    await start({ MODELS: ownModel('numbers', { labels: 'digits.txt' }) })
    expect((await send('/predictlabel')).text).to.match(/"label":"0".*"label":"9"/)
  })

  it('is the user’s own pipeline for all routes, unless the pipeline reports a subject', async () => {
    const guess = { index: 0, label: 'x', name: 'x', full: 'x', probability: 1 }
    await start(scripted({ answer: [guess] }))
    for (const path of [...ROUTES, '/predictlabel']) expect((await send(path)).status, path).to.equal(200)
  })
})

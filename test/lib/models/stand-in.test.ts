import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { golden } from '../../support/golden.ts'
import { one } from '../../support/pictures.ts'
import { allReady, type Service, startService, until } from '../../support/service.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const WARN = 40
const NOBODY_LISTENS = 'http://127.0.0.1:9'

describe('A service whose first model waits for its weights', () => {
  let service: Service
  before(async function () {
    this.timeout(60_000)
    const folder = temporaryFolder()
    cpSync(golden('classes', 'head-two-outputs', 'keras3.keras'), join(folder, 'pets.keras'))
    service = await startService({
      MODELS: 'vgg16,digits,mobilenet_v2,pets',
      WEIGHTS_DIR: folder,
      WEIGHTS_URL: NOBODY_LISTENS,
      DEVICE: 'cpu',
      SPARE_CHILDREN: '0',
    })
    await allReady(service, ['digits', 'pets'])
  })
  after(() => service.stop())

  const page = async (path: string) =>
    (await fetch(`${service.url}${path}`, { headers: { Accept: 'text/html' } })).text()

  it('is ready, and names a model that answers meanwhile', async () => {
    expect((await fetch(`${service.url}/readyz`)).status).to.equal(200)
    const answer = await fetch(`${service.url}/vgg`, { method: 'POST', body: await one() })
    expect([answer.status, answer.headers.get('x-error-code')]).to.deep.equal([503, 'ERR_NOT_READY'])
    const { error } = (await answer.json()) as { error: { message: string } }
    expect(error.message).to.match(
      /^The model "vgg16" is not ready yet: .* Meanwhile, "pets" is ready: POST \/pets\.$/,
    )
  })

  it('offers it on the page too', async () => {
    const text = await page('/vgg')
    expect(text).to.contain(
      'data-models="pets mobilenet_v2">Meanwhile, <a href="/pets">pets</a> is ready to answer.',
    )
    const pets = await page('/pets')
    expect(pets).to.contain(
      'An image is scaled to 12 × 16 pixels (width × height), with three channels (red, green, blue)',
    )
    expect(pets).to.contain('JSON answers also have the numbers of real (1).')
    // MobileNetV2 waits as well, and a network for digits is no substitute for one for photographs.
    expect(await page('/digits')).not.to.contain('Meanwhile')
  })

  it('logs one warning for all models that wait', async () => {
    const warnings = () => service.logs.filter(({ level, msg }) => level === WARN && msg !== 'request failed')
    await until(() => warnings().length > 0, 'the warning')
    const [first, ...others] = warnings()
    expect(first?.msg).to.match(
      /needs .* could not be downloaded .* Also waiting: (vgg16|mobilenet_v2); \/readyz says why\.$/,
    )
    expect(others).to.deep.equal([])
  })
})

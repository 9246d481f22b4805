import { cpSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { type Service, startService, until } from '../support/service.ts'
import { describeWithShared, shared } from '../support/shared.ts'

interface Expected {
  index: number
  probability: number
}

interface Guess extends Expected {
  name: string
  wnid: string
}

const CLOSE = 1e-4

describeWithShared('A trained model of TensorFlow.js, served with the labels of ImageNet', () => {
  for (const interpolation of ['nearest', 'bilinear'] as const) {
    describe(`and images stretched with ${interpolation}`, () => {
      let service: Service

      before(async function () {
        this.timeout(30_000)
        const folder = mkdtempSync(join(tmpdir(), 'tandem-'))
        cpSync(shared('data', 'mobilenet_v1_0.25_224'), join(folder, 'small'), { recursive: true })
        const settings = { labels: 'imagenet', preprocessing: 'tf', interpolation }
        writeFileSync(join(folder, 'small.json'), JSON.stringify(settings))
        service = await startService({ MODELS: 'small', WEIGHTS_DIR: folder, DEVICE: 'cpu' })
        await until(async () => (await fetch(`${service.url}/readyz`)).ok, 'the model')
      })
      after(() => service.stop())

      for (const photo of ['astronaut', 'chelsea', 'coffee', 'rocket']) {
        for (const type of photo === 'rocket' ? (['jpg'] as const) : (['png', 'jpg'] as const)) {
          it(`gives the published five best for ${photo}.${type}`, async () => {
            const body = readFileSync(shared('data', 'photos', `${photo}.${type}`))
            const response = await fetch(`${service.url}/small`, { method: 'POST', body })
            const { predictions } = (await response.json()) as { predictions: Guess[] }
            const expected = expectedFor(`${photo}.${type}`, interpolation)
            expect(predictions.map(({ index }) => index)).to.deep.equal(expected.map(({ index }) => index))
            for (const [i, { probability }] of expected.entries()) {
              expect(predictions[i]?.probability).to.be.closeTo(probability, CLOSE)
            }
          })
        }
      }

      it('answers eight at once as it answers one', async () => {
        const body = readFileSync(shared('data', 'photos', 'coffee.png'))
        const one = async () => {
          const response = await fetch(`${service.url}/small`, { method: 'POST', body })
          return ((await response.json()) as { predictions: Guess[] }).predictions
        }
        const all = await Promise.all(Array.from({ length: 8 }, one))
        for (const predictions of all)
          expect(predictions[0]).to.deep.include({ index: 967, name: 'espresso', wnid: 'n07920052' })
      })

      it('refuses what is no image, and goes on', async () => {
        const response = await fetch(`${service.url}/small`, { method: 'POST', body: 'no image' })
        expect(response.status).to.equal(415)
        expect(((await response.json()) as { error: { code: string } }).error.code).to.equal('ERR_IMAGE_TYPE')
      })
    })
  }
})

function expectedFor(photo: string, interpolation: 'nearest' | 'bilinear'): Expected[] {
  const text = readFileSync(shared('data', 'mobilenet_v1_0.25_224', 'top5.json'), 'utf8')
  const { images } = JSON.parse(text) as { images: Record<string, Record<typeof interpolation, Expected[]>> }
  return images[photo]?.[interpolation] ?? []
}

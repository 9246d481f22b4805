import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { type Service, startService } from '../support/service.ts'
import { describeWithShared, shared } from '../support/shared.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

interface Expected {
  index: number
  probability: number
}

interface Guess extends Expected {
  name: string
  wnid: string
}

const CLOSE = 1e-4
const PHOTOS = {
  astronaut: ['astronaut.png', 'astronaut.jpg'],
  chelsea: ['chelsea.png', 'chelsea.jpg'],
  coffee: ['coffee.png', 'coffee.jpg'],
  rocket: ['rocket.jpg'],
} as const

describeWithShared('A trained TensorFlow.js model, served with the labels of ImageNet', () => {
  for (const interpolation of ['nearest', 'bilinear'] as const) {
    describe(`and images stretched by ${interpolation} interpolation`, () => {
      let service: Service

      before(async function () {
        this.timeout(60_000)
        const folder = temporaryFolder()
        cpSync(shared('data', 'mobilenet_v1_0.25_224'), join(folder, 'small'), { recursive: true })
        const settings = { labels: 'imagenet', preprocessing: 'tf', interpolation }
        writeFileSync(join(folder, 'small.json'), JSON.stringify(settings))
        service = await startService({ MODELS: 'small', WEIGHTS_DIR: folder, DEVICE: 'cpu' })
        await service.ready()
      })
      after(() => service?.stop())

      for (const [photo, files] of Object.entries(PHOTOS)) {
        it(`gives the published five best guesses for the photograph ${photo}, in each file format`, async () => {
          for (const file of files) {
            const predictions = await predict(service, readFileSync(shared('data', 'photos', file)))
            const expected = expectedFor(file, interpolation)
            expect(predictions.map(({ index }) => index)).to.deep.equal(expected.map(({ index }) => index))
            for (const [i, { probability }] of expected.entries()) {
              expect(predictions[i]?.probability).to.be.closeTo(probability, CLOSE)
            }
          }
          if (photo !== 'coffee') return
          const [best] = await predict(service, readFileSync(shared('data', 'photos', 'coffee.png')))
          expect(best).to.deep.include({ index: 967, name: 'espresso', wnid: 'n07920052' })
        })
      }
    })
  }
})

async function predict({ url }: Service, body: Buffer): Promise<Guess[]> {
  const response = await fetch(`${url}/small`, { method: 'POST', body: new Uint8Array(body) })
  return ((await response.json()) as { predictions: Guess[] }).predictions
}

function expectedFor(photo: string, interpolation: 'nearest' | 'bilinear'): Expected[] {
  const text = readFileSync(shared('data', 'mobilenet_v1_0.25_224', 'top5.json'), 'utf8')
  const { images } = JSON.parse(text) as { images: Record<string, Record<typeof interpolation, Expected[]>> }
  return images[photo]?.[interpolation] ?? []
}

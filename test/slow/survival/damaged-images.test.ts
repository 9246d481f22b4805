import { expect } from 'chai'
import sharp from 'sharp'
import { mutate } from '../../../scripts/fuzz/formats/format.ts'
import { IMAGE_FORMATS } from '../../../scripts/fuzz/kinds/images.ts'
import { randomOf } from '../../../scripts/fuzz/random.ts'
import { type FixtureImage, fixtureImages } from '../../support/fixture-images.ts'
import { pngBomb } from '../../support/image-files.ts'
import type { Service } from '../../support/service.ts'
import { expectUnharmed, HEALTH_P99_MS, survivor, watchHealth, watchMemory } from '../../support/survivor.ts'

const SEED = 2026
const MUTANTS = 500
const CONCURRENCY = 8
/** A child with its model, a batch of small images, and what the allocator keeps. */
const CHILD_MIB = 450
const WEB_MIB = 300
/** Measured: 30 ms. The rest is for busy machines. */
const BOMB_MS = 2000

type Send = (service: Service, bytes: Buffer) => Promise<Response>

/** Every way to send an image, with both kinds of preprocessing. */
const WAYS: readonly Send[] = [
  raw('/picture'),
  raw('/digits'),
  form('/picture', 'image'),
  form('/api/predict', 'image'),
  form('/predictlabel', 'file'),
  form('/predict', 'file'),
  dataUri('/picture'),
]

describe('Damaged images', () => {
  const running = survivor()
  let images: FixtureImage[]
  before(async () => {
    images = await fixtureImages()
  })

  it('are made from images that get a prediction, in every format and in every way to send them', async () => {
    await inParallel(images.length * WAYS.length, async (index) => {
      const image = images[index % images.length]
      const way = Math.floor(index / images.length)
      const answer = await WAYS[way]?.(running(), image?.bytes ?? Buffer.alloc(0))
      expect(answer?.status, `${image?.name}, way ${way}`).to.equal(200)
    })
  }).timeout(60_000)

  it(`get a 4xx or a prediction, and no process ends or grows: ${MUTANTS} images`, async () => {
    const service = running()
    const memory = watchMemory(service)
    const health = await watchHealth(service)
    const statuses = new Map<number, number>()
    await inParallel(MUTANTS, async (index) => {
      const { status, text } = await mutant(service, index)
      expect(status, `seed ${SEED}, image ${index}: ${text}`).to.satisfy(isPredictionOr4xx)
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
    })
    expect((await health()).p99, 'the p99 of /healthz meanwhile, in ms').to.be.below(HEALTH_P99_MS)
    const { web, child } = memory()
    expect(web, 'MiB of the web process').to.be.below(WEB_MIB)
    expect(child, 'MiB of the larger child').to.be.below(CHILD_MIB)
    // Without both kinds of answers, this would not test much.
    expect(statuses.get(200)).to.be.above(MUTANTS / 10)
    expect(statuses.get(422)).to.be.above(MUTANTS / 10)
    await expectUnharmed(service)
  }).timeout(120_000)

  async function mutant(service: Service, index: number): Promise<{ status: number; text: string }> {
    const image = images[index % images.length]
    const send = WAYS[index % WAYS.length]
    if (!image || !send) throw new Error('there is always one')
    const answer = await send(service, mutate(image.bytes, IMAGE_FORMATS, randomOf(SEED, index)))
    return { status: answer.status, text: `${image.name}: ${(await answer.text()).slice(0, 300)}` }
  }

  it('that declare 400 megapixels in 48 KB are refused at once, because of the header', async () => {
    const bomb = pngBomb(20_000)
    expect(bomb.length).to.be.below(50_000)
    await raw('/picture')(running(), bomb)
    const memory = watchMemory(running())
    const start = performance.now()
    const answer = await raw('/picture')(running(), bomb)
    const ms = performance.now() - start
    expect([answer.status, answer.headers.get('X-Error-Code')]).to.deep.equal([413, 'ERR_IMAGE_TOO_LARGE'])
    expect(ms).to.be.below(BOMB_MS)
    expect(memory().child, 'MiB of the larger child').to.be.below(CHILD_MIB)
    await expectUnharmed(running())
  })

  it('do not include a GIF of 400 frames, which gets a prediction', async () => {
    const frames = await sharp({
      create: { width: 64, height: 64 * 400, channels: 3, background: 'white', pageHeight: 64 },
    })
      .gif()
      .toBuffer()
    expect((await raw('/picture')(running(), frames)).status).to.equal(200)
  })
})

function isPredictionOr4xx(status: number): boolean {
  return status === 200 || (status >= 400 && status < 500)
}

function raw(path: string): Send {
  return ({ url }, bytes) => fetch(url + path, { method: 'POST', body: new Uint8Array(bytes) })
}

function form(path: string, field: string): Send {
  return ({ url }, bytes) => {
    const body = new FormData()
    body.set(field, new Blob([new Uint8Array(bytes)]), 'image')
    return fetch(url + path, { method: 'POST', body })
  }
}

function dataUri(path: string): Send {
  return ({ url }, bytes) => {
    const body = JSON.stringify({ url: `data:;base64,${bytes.toString('base64')}` })
    return fetch(url + path, { method: 'POST', body, headers: { 'Content-Type': 'application/json' } })
  }
}

async function inParallel(count: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0
  const worker = async () => {
    while (next < count) await work(next++)
  }
  await Promise.all(Array.from({ length: CONCURRENCY }, worker))
}

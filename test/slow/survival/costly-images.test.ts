import { expect } from 'chai'
import sharp from 'sharp'
import { avifTiles } from '../../support/avif-bombs.ts'
import { photo } from '../../support/image-files.ts'
import type { Service } from '../../support/service.ts'
import { startSurvivor } from '../../support/survivor.ts'

const BYSTANDERS = 24
/** A restart of the child, and each photograph once more by itself. Without the limits: minutes, or a killed container. */
const WITHIN_MS = 15_000

/** What the headers do not show: images within all limits on headers, and narrow limits on time and memory. */
describe('Images that cost more than a child may take', () => {
  let service: Service
  before(async function () {
    this.timeout(30_000)
    service = await startSurvivor({
      PREPARE_TIMEOUT_MS: '1000',
      CHILD_MEMORY: '150mb',
      MAX_PIXELS: '250000000',
    })
  })
  after(() => service.stop())

  it('of memory get 422, and every photograph beside them gets its prediction', async () => {
    const create = { width: 7000, height: 7000, channels: 4, background: 'red' } as const
    await attack(await sharp({ create }).webp({ lossless: true, effort: 0 }).toBuffer())
  }).timeout(60_000)

  it('of time get 422, and every photograph beside them gets its prediction', async () => {
    // A grid of 255 times the same picture, of which only the first is shown.
    await attack(await avifTiles(255, 1, 1500, [1500, 1500]))
  }).timeout(60_000)

  async function attack(bomb: Buffer): Promise<void> {
    const before = restarts()
    const start = performance.now()
    const image = await photo().jpeg().toBuffer()
    const attacked = predict(bomb)
    const others = await Promise.all(Array.from({ length: BYSTANDERS }, () => predict(image)))
    expect(others.map(({ status }) => status)).to.deep.equal(Array(BYSTANDERS).fill(200))
    const { status, headers } = await attacked
    expect([status, headers.get('X-Error-Code')]).to.deep.equal([422, 'ERR_IMAGE_COST'])
    expect(performance.now() - start, 'ms').to.be.below(WITHIN_MS)
    expect(service.process.exitCode, 'the exit of the web process').to.equal(null)
    expect(restarts(), 'children that ended').to.be.above(before)
  }

  function restarts(): number {
    return service.logs.filter(({ msg }) => msg === 'child ended').length
  }

  function predict(image: Buffer): Promise<Response> {
    return fetch(`${service.url}/picture`, { method: 'POST', body: new Uint8Array(image) })
  }
})

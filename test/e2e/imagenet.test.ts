import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import sharp from 'sharp'
import { openTfjs } from '../../pipeline/engines/tfjs/tfjs.ts'
import { smallMobilenet } from '../support/small-mobilenet.ts'
import { smallService } from '../support/small-service.ts'
import { noiseImage, smoothImage } from '../support/synthetic.ts'

interface Guess {
  index: number
  full: string
  wnid: string
  probability: number
}

const LABELS = fileURLToPath(new URL('../../weights/imagenet-labels.tsv', import.meta.url))
const CLOSE = 1e-4
/** In the size that the network takes, so that nothing is scaled. */
const IMAGES = { smooth: smoothImage(224, 224), noise: noiseImage(224, 224) }

describe('A network with computed weights, served with the labels of ImageNet', () => {
  const small = smallService()
  const post = async (pixels: Uint8Array): Promise<Guess[]> => {
    const body = await sharp(pixels, { raw: { width: 224, height: 224, channels: 3 } })
      .png()
      .toBuffer()
    const response = await fetch(`${small().url}/small`, { method: 'POST', body: new Uint8Array(body) })
    return ((await response.json()) as { predictions: Guess[] }).predictions
  }

  for (const [name, pixels] of Object.entries(IMAGES)) {
    it(`gives the same five best guesses as the engine tfjs for the image "${name}"`, async function () {
      this.timeout(60_000)
      const scores = await scoresOf(pixels)
      const expected = [...scores.keys()].sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0)).slice(0, 5)
      const guesses = await post(pixels)
      expect(guesses.map(({ index }) => index)).to.deep.equal(expected)
      for (const { index, probability } of guesses)
        expect(probability).to.be.closeTo(scores[index] ?? 0, CLOSE)
    })
  }

  it('names each class as in the list of ImageNet', async () => {
    const rows = readFileSync(LABELS, 'utf8').trimEnd().split('\n').slice(1)
    for (const { index, full, wnid } of await post(IMAGES.smooth)) {
      expect(rows[index]).to.equal(`${index}\t${wnid}\t${full}`)
    }
  })

  it('gives eight requests at once the same answer as one request', async () => {
    const one = await post(IMAGES.noise)
    for (const guesses of await Promise.all(Array.from({ length: 8 }, () => post(IMAGES.noise)))) {
      expect(guesses).to.deep.equal(one)
    }
  })

  it('refuses a body that is not an image, and serves the next request', async () => {
    const response = await fetch(`${small().url}/small`, { method: 'POST', body: 'no image' })
    expect(response.status).to.equal(415)
    expect(((await response.json()) as { error: { code: string } }).error.code).to.equal('ERR_IMAGE_TYPE')
    expect(await post(IMAGES.smooth)).to.have.length(5)
  })
})

async function scoresOf(pixels: Uint8Array): Promise<Float32Array> {
  const engine = await openTfjs({ ...smallMobilenet(), preprocessing: 'tf', input: 'uint8', threads: 1 })
  try {
    return await engine.run(pixels, 1)
  } finally {
    await engine.close()
  }
}

import { expect } from 'chai'
import { avifItems, avifTiles } from '../support/avif-bombs.ts'
import { jpegScans, pngChunks, pngTexts, tiff, webpFrames } from '../support/image-bombs.ts'
import { photo } from '../support/image-files.ts'
import type { Service } from '../support/service.ts'
import { expectUnharmed, survivor, watchMemory } from '../support/survivor.ts'

/** A child with its model, a few copies of a body of 20 MB, and what the allocator keeps. */
const CHILD_MIB = 450
/** Measured: 10 to 200 ms. Without the limits it is 8 s to some minutes. */
const BOMB_MS = 3000
const REFUSED = [422, 'ERR_IMAGE_COST']
const PREDICTED = [200, null]

describe('Image bombs', () => {
  const running = survivor()
  const pixel = () => photo().resize(1, 1).webp().toBuffer()

  const bombs: [name: string, make: () => Buffer | Promise<Buffer>, outcome: readonly unknown[]][] = [
    ['a PNG with 790 MB of text in 770 KB', () => pngTexts(100, 7_900_000), PREDICTED],
    ['a PNG of a million chunks', () => pngChunks(1_000_000), REFUSED],
    ['a JPEG of 1,500 scans in 60 KB', () => jpegScans(4000, 3000, 1500), REFUSED],
    ['a WebP of 90,000 frames', async () => webpFrames(await pixel(), 90_000), PREDICTED],
    ['a WebP of 200,000 frames', async () => webpFrames(await pixel(), 200_000), REFUSED],
    ['a TIFF of 160,000 pages', () => tiff(160_000), PREDICTED],
    ['an AVIF of 255 tiles of 2 megapixels', () => avifTiles(255, 1, 1500, [1500, 1500]), REFUSED],
    ['an AVIF of 250 times the same 8 MB', () => avifItems(250, Buffer.alloc(8_000_000)), REFUSED],
  ]
  for (const [name, make, outcome] of bombs) {
    const title =
      outcome === REFUSED ? 'is refused by its headers' : 'is read like the small picture that it is'
    it(`such as ${name} harm no bystander: it ${title}`, async () => {
      const bomb = await make()
      const memory = watchMemory(running())
      const start = performance.now()
      const [attack, bystander] = await Promise.all([
        predict(running(), bomb),
        predict(running(), await photo().jpeg().toBuffer()),
      ])
      expect([attack.status, attack.headers.get('X-Error-Code')]).to.deep.equal(outcome)
      expect(bystander.status, 'a photograph beside it').to.equal(200)
      expect(performance.now() - start, 'ms').to.be.below(BOMB_MS)
      expect(memory().child, 'MiB of the larger child').to.be.below(CHILD_MIB)
      await expectUnharmed(running())
    })
  }
})

function predict({ url }: Service, image: Buffer): Promise<Response> {
  return fetch(`${url}/picture`, { method: 'POST', body: new Uint8Array(image) })
}

import { expect } from 'chai'
import { pixelView } from '../../../pipeline/image/decode/pixel-view.ts'
import type { ImageOptions } from '../../../pipeline/image/read-image.ts'
import { stretched } from '../../../pipeline/image/scale/placement.ts'
import { resizeFilter } from '../../../pipeline/image/scale/resize-filter.ts'
import { resizeNearest } from '../../../pipeline/image/scale/resize-nearest.ts'
import { goldenBytes, goldenJson } from '../../support/golden.ts'
import { noiseImage, smoothImage } from '../../support/synthetic.ts'

type Interpolation = ImageOptions['interpolation']

async function resize(data: Uint8Array, width: number, height: number, side: number, filter: Interpolation) {
  const view = pixelView(data, width, height, 3)
  const placement = stretched(view, { width: side, height: side })
  return filter === 'nearest' ? resizeNearest(view, placement) : resizeFilter(view, placement, filter)
}

describe('Resizing', () => {
  // Sums over all bytes of what Pillow 12.3 makes of these images.
  const sums: [Interpolation, number, number][] = [
    ['nearest', 19053812, 298239],
    ['bilinear', 19062526, 297732],
    ['bicubic', 19058803, 297647],
  ]
  for (const [filter, sum224, sum28] of sums) {
    it(`${filter} gives pixels with the same sum as Pillow, enlarged and reduced`, async () => {
      const noise = noiseImage(31, 256)
      expect(sum(await resize(noise, 256, 31, 224, filter))).to.equal(sum224)
      expect(sum(await resize(noise, 256, 31, 28, filter))).to.equal(sum28)
    })

    it(`${filter} leaves an image of the right size as it is`, async () => {
      const image = smoothImage(40, 40)
      expect(Buffer.compare(await resize(image, 40, 40, 40, filter), image)).to.equal(0)
    })

    it(`${filter} gives a grey image three equal bands`, async () => {
      const grey = noiseImage(20, 10).subarray(0, 20 * 30)
      const three = Uint8Array.from({ length: grey.length * 3 }, (_, i) => grey[Math.trunc(i / 3)] ?? 0)
      const one = pixelView(grey, 30, 20, 1)
      const placement = stretched(one, { width: 17, height: 23 })
      const result =
        filter === 'nearest' ? resizeNearest(one, placement) : await resizeFilter(one, placement, filter)
      const rgb = pixelView(three, 30, 20, 3)
      const expected =
        filter === 'nearest' ? resizeNearest(rgb, placement) : await resizeFilter(rgb, placement, filter)
      expect(Buffer.compare(result, expected)).to.equal(0)
    })
  }

  it('takes the nearest pixel by a running sum, as Pillow does, not by a product', async () => {
    const row = Uint8Array.from({ length: 256 * 3 }, (_, i) => Math.trunc(i / 3))
    const result = await resize(row, 256, 1, 224, 'nearest')
    const product = Array.from({ length: 224 }, (_, i) => Math.floor(((i + 0.5) * 256) / 224))
    const differences = product.filter((pixel, i) => pixel !== result[i * 3])
    expect(differences).to.have.lengthOf(25)
  })

  it('does not block the event loop while it reduces a large image', async () => {
    let turns = 0
    const counting = setInterval(() => turns++, 0)
    await resize(new Uint8Array(3000 * 2000 * 3), 3000, 2000, 224, 'bicubic')
    clearInterval(counting)
    expect(turns).to.be.above(5)
  })
})

interface Source {
  width: number
  height: number
  file: string
  outputs: { filter: Interpolation; width: number; file: string }[]
}

describe('Resizing, compared with Pillow', () => {
  const read = (file: string) => goldenBytes('resize', file)

  for (const filter of ['nearest', 'bilinear', 'bicubic'] as const) {
    it(`${filter} is the same in every byte`, async () => {
      const index = goldenJson<Source[]>('resize', 'index.json')
      let pairs = 0
      for (const { width, height, file, outputs } of index) {
        for (const output of outputs.filter((output) => output.filter === filter)) {
          const result = await resize(read(file), width, height, output.width, filter)
          expect(Buffer.compare(result, read(output.file)), output.file).to.equal(0)
          pairs++
        }
      }
      expect(pairs).to.equal(16)
    })
  }
})

function sum(bytes: Uint8Array): number {
  return bytes.reduce((total, byte) => total + byte, 0)
}

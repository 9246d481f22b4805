import { expect } from 'chai'
import sharp from 'sharp'
import { withRoomFor } from '../../../pipeline/image/decode/decoding-room.ts'
import { codeOf, errorOf } from '../../support/broker.ts'
import { bmp, gif, photo, pixelsOf, png, pngBomb } from '../../support/image-files.ts'

describe('Limits on images', () => {
  it('refuses 400 megapixels in 48 KB at once, and takes no memory for them', async () => {
    const bomb = pngBomb(20_000)
    expect(bomb.length).to.be.below(60_000)
    await codeOf(pixelsOf(bomb, 224, 224))
    const before = process.memoryUsage().rss
    const start = performance.now()
    const error = await errorOf(pixelsOf(bomb, 224, 224))
    expect(performance.now() - start).to.be.below(50)
    expect(process.memoryUsage().rss - before).to.be.below(5_000_000)
    expect(error.code).to.equal('ERR_IMAGE_TOO_LARGE')
    expect(error.message).to.contain('400000000').and.contain('50000000')
  })

  const formats = ['jpeg', 'png', 'webp', 'gif', 'tiff', 'avif'] as const
  for (const format of formats) {
    it(`counts the pixels of a ${format} before it is decoded`, async () => {
      const file = await photo().toFormat(format).toBuffer()
      expect(await codeOf(pixelsOf(file, 4, 4, { maxPixels: 1199 }))).to.equal('ERR_IMAGE_TOO_LARGE')
      expect(await pixelsOf(file, 4, 4, { maxPixels: 1200 })).to.have.lengthOf(48)
    })
  }

  it('counts the pixels of a BMP before it is decoded', async () => {
    const file = bmp({ width: 30_000, height: 30_000, bits: 24, rows: [] })
    expect(await codeOf(pixelsOf(file, 4, 4))).to.equal('ERR_IMAGE_TOO_LARGE')
  })

  it('counts the whole canvas of a GIF, and not its small first frame', async () => {
    const frame = { width: 1, height: 1, pixels: [0] }
    const file = gif(65_535, 65_535, Array<number>(12).fill(0), [frame])
    expect(await codeOf(pixelsOf(file, 4, 4))).to.equal('ERR_IMAGE_TOO_LARGE')
  })

  it('counts the pixels of an AVIF that is larger than any image can be', async () => {
    const file = await photo().avif().toBuffer()
    file.writeUInt32BE(0x4000_001e, file.indexOf('ispe') + 12)
    expect(await codeOf(pixelsOf(file, 4, 4))).to.equal('ERR_IMAGE_TOO_LARGE')
  })

  it('refuses an image a million pixels wide and one high', async () => {
    const file = png({ width: 1_000_000, height: 1, bits: 1, colour: 0, rows: [Buffer.alloc(125_000)] })
    expect(await codeOf(pixelsOf(file, 4, 4))).to.equal('ERR_IMAGE_TOO_LARGE')
  })

  it('enforces the limit in the decoder too, if the header declares another size', async () => {
    const frame = Buffer.from('ffc0000b08001e002801012200', 'hex')
    const large = await sharp({ create: { width: 2000, height: 2000, channels: 3, background: 'red' } })
      .jpeg()
      .toBuffer()
    const liar = Buffer.concat([large.subarray(0, 2), frame, large.subarray(2)])
    expect(await codeOf(pixelsOf(liar, 4, 4, { maxPixels: 10_000 }))).to.match(
      /^ERR_IMAGE_(DECODE|TOO_LARGE)$/,
    )
  })

  it('decodes a limited number of pixels at once, first come, first served', async () => {
    const order: string[] = []
    const ends: (() => void)[] = []
    const enter = (name: string, pixels: number) =>
      withRoomFor(pixels, () => {
        order.push(name)
        return new Promise<void>((resolve) => ends.push(resolve))
      })
    const all = [enter('a', 30_000_000), enter('b', 20_000_000), enter('c', 1), enter('d', 90_000_000)]
    await tick()
    expect(order).to.deep.equal(['a'])
    ends.shift()?.()
    await tick()
    expect(order).to.deep.equal(['a', 'b', 'c'])
    for (const end of ends.splice(0)) end()
    await tick()
    expect(order).to.deep.equal(['a', 'b', 'c', 'd'])
    for (const end of ends) end()
    await Promise.all(all)
  })

  it('has room again after an image that failed', async () => {
    expect(
      await codeOf(withRoomFor(36_000_000, () => Promise.reject(Object.assign(new Error(), { code: 'X' })))),
    ).to.equal('X')
    expect(await withRoomFor(36_000_000, async () => 'in')).to.equal('in')
  })
})

function tick(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

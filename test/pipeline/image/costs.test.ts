import { expect } from 'chai'
import { readJpegHeader } from '../../../pipeline/image/decode/jpeg-header.ts'
import { readPngHeader } from '../../../pipeline/image/decode/png-header.ts'
import { webpFirstFrame } from '../../../pipeline/image/decode/webp-frame.ts'
import { avifItems, avifTiles } from '../../support/avif-bombs.ts'
import { codeOf, errorOf } from '../../support/broker.ts'
import { jpegScans, jpegSegments, pngChunks, webpFrames } from '../../support/image-bombs.ts'
import { photo, pixelsOf } from '../../support/image-files.ts'

describe('The work that an image may take', () => {
  it('includes 200 scans of a JPEG, and no more', async () => {
    readJpegHeader(jpegScans(8, 8, 200), false)
    const error = await errorOf(pixelsOf(jpegScans(8, 8, 201), 4, 4))
    expect(error.code).to.equal('ERR_IMAGE_COST')
    expect(error.message).to.equal(
      'The JPEG image would take too much work: it has 201 scans of 8 × 8 pixels; the limit is 200.',
    )
  })

  it('includes 125 scans of 12 megapixels, and no more', async () => {
    readJpegHeader(jpegScans(4000, 3000, 125), false)
    const error = await errorOf(pixelsOf(jpegScans(4000, 3000, 126), 4, 4))
    expect(error).to.include({ code: 'ERR_IMAGE_COST' })
    expect(error.message).to.contain('126').and.contain('the limit is 125')
  })

  it('includes one scan of a JPEG of any size', async () => {
    const large = jpegScans(8, 8, 1)
    const size = large.indexOf(Buffer.from('ffc2', 'hex')) + 5
    large.fill(0xff, size, size + 4)
    expect(readJpegHeader(large, false)).to.include({ width: 65_535, height: 65_535 })
    expect(await pixelsOf(jpegScans(800, 600, 100), 4, 4)).to.have.lengthOf(48)
  })

  it('counts the scans of a JPEG that is not progressive, too', async () => {
    const file = await photo().jpeg({ chromaSubsampling: '4:4:4' }).toBuffer()
    const start = file.indexOf(Buffer.from('ffda', 'hex'))
    const single = Buffer.from('ffda0008010100003f00', 'hex')
    const scans = Array<Buffer>(201).fill(Buffer.concat([single, file.subarray(start + 14, -2)]))
    const bomb = Buffer.concat([file.subarray(0, start), ...scans, file.subarray(-2)])
    expect((await errorOf(pixelsOf(bomb, 4, 4))).code).to.equal('ERR_IMAGE_COST')
  })

  it('counts scans up to the end of a JPEG, and nothing in its segments or behind it', () => {
    const file = jpegScans(8, 8, 200)
    const end = Buffer.from('ffd9', 'hex')
    const comment = Buffer.from('fffe0006ffd9ffda', 'hex')
    const [body, behind] = [file.subarray(0, -2), file.subarray(-13, -2)]
    readJpegHeader(Buffer.concat([body, comment, end, behind, end]), false)
    const bomb = Buffer.concat([body, comment, behind, end])
    expect(() => readJpegHeader(bomb, false)).to.throw('201 scans')
  })

  it('includes 4,096 segments of a JPEG, and no more', async () => {
    const sound = await photo().jpeg().toBuffer()
    readJpegHeader(jpegSegments(sound, 4000), false)
    expect(() => readJpegHeader(jpegSegments(sound, 4096), false)).to.throw('4097 segments')
  })

  it('includes 100,000 chunks of a PNG, and no more', () => {
    // The chunks besides are the header, the data and the end.
    readPngHeader(pngChunks(99_997), false)
    expect(() => readPngHeader(pngChunks(99_998), false)).to.throw('100001 chunks')
  })

  it('includes 100,000 chunks of a WebP, and no more', async () => {
    const still = await photo().resize(1, 1).webp().toBuffer()
    webpFirstFrame(webpFrames(still, 99_998), false)
    expect(() => webpFirstFrame(webpFrames(still, 99_999), false)).to.throw('100001 chunks')
  })

  it('includes three times the pixels that an AVIF may have, in all its tiles together', async () => {
    // 16 × 16 pixels from 4 × 4 tiles of 16 × 16: the picture, the tile by itself, and each use of it.
    const tiles = await avifTiles(4, 4, 16, [16, 16])
    const pixels = 18 * 256
    expect(await codeOf(pixelsOf(tiles, 4, 4, { maxPixels: pixels / 3 }))).not.to.equal('ERR_IMAGE_COST')
    const error = await errorOf(pixelsOf(tiles, 4, 4, { maxPixels: pixels / 3 - 1 }))
    expect(error.code).to.equal('ERR_IMAGE_COST')
    expect(error.message).to.contain(`${pixels} pixels in all its pictures and tiles`)
  })

  it('includes twice the bytes of an AVIF, in all its items together', async () => {
    const content = Buffer.alloc(10_000)
    expect(await pixelsOf(await avifItems(2, content), 4, 4)).to.have.lengthOf(48)
    const error = await errorOf(pixelsOf(await avifItems(3, content), 4, 4))
    expect(error.code).to.equal('ERR_IMAGE_COST')
    expect(error.message).to.contain('bytes in all its items')
  })
})

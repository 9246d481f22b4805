import { deflateSync } from 'node:zlib'
import { expect } from 'chai'
import sharp from 'sharp'
import { readJpegHeader } from '../../../pipeline/image/decode/jpeg-header.ts'
import { readPngHeader } from '../../../pipeline/image/decode/png-header.ts'
import { tiffFirstDirectory } from '../../../pipeline/image/decode/tiff-directory.ts'
import { webpFirstFrame } from '../../../pipeline/image/decode/webp-frame.ts'
import { tiff } from '../../support/image-bombs.ts'
import { chunk, photo, pixelsOf, png } from '../../support/image-files.ts'

const SECRET = 'a text that no decoder needs'

describe('The parts of an image that a decoder is given', () => {
  const text = { exif: { IFD0: { ImageDescription: SECRET, Copyright: SECRET } } }
  const progressive = { progressive: true, quality: 90 }
  const files = {
    'a JPEG': photo().withMetadata(text).withXmp(xmp()).jpeg(),
    'a progressive JPEG': photo().withMetadata(text).jpeg(progressive),
    'a JPEG in CMYK': photo().withMetadata(text).toColourspace('cmyk').jpeg(),
    'a JPEG in grey': photo().withMetadata(text).greyscale().jpeg(),
    'a PNG': photo().withMetadata(text).withXmp(xmp()).png(),
    'a PNG with a palette': photo().withMetadata(text).png({ palette: true, colours: 16 }),
    'an interlaced PNG': photo().withMetadata(text).png(progressive),
    'a PNG with 16 bits': photo().withMetadata(text).toColourspace('rgb16').png(),
    'a WebP': photo().withMetadata(text).webp(),
    'a WebP without loss': photo().withMetadata(text).webp({ lossless: true }),
    'a WebP with transparency': photo().ensureAlpha(0.5).withMetadata(text).webp(),
    'a TIFF': photo().withMetadata(text).tiff({ compression: 'lzw', predictor: 'horizontal' }),
    'a TIFF of tiles': photo().withMetadata(text).tiff({ tile: true, tileWidth: 16, tileHeight: 16 }),
    'a TIFF with a JPEG inside': photo().withMetadata(text).tiff({ compression: 'jpeg', quality: 90 }),
    'a BigTIFF': photo().withMetadata(text).tiff({ bigtiff: true }),
    'a TIFF in grey that is turned over': photo().withMetadata(text).greyscale().tiff({ miniswhite: true }),
  }

  for (const [name, image] of Object.entries(files)) {
    it(`of ${name} have the same pixels as the whole, and no text`, async () => {
      const file = await image.toBuffer()
      const needed = neededOf(file)
      expect(await rawPixels(needed)).to.deep.equal(await rawPixels(file))
      expect(await sharp(needed).metadata()).to.not.have.any.keys('exif', 'xmp', 'comments')
    })
  }

  it('of a JPEG include Adobe’s marker, which says how its colours are stored', async () => {
    const file = await photo().toColourspace('cmyk').jpeg().toBuffer()
    expect(Buffer.from(neededOf(file)).includes('Adobe')).to.equal(true)
  })

  for (const format of ['jpeg', 'png', 'webp', 'tiff'] as const) {
    it(`of a ${format} include the colour profile where it is wanted, and only there`, async () => {
      const plain = await photo().withIccProfile('p3').toFormat(format).toBuffer()
      const file = await photo().withIccProfile('p3').withXmp(xmp()).toFormat(format).toBuffer()
      expect(Buffer.compare(await profiled(file), await profiled(plain))).to.equal(0)
      expect(Buffer.compare(await profiled(file), await pixelsOf(file, 40, 30))).not.to.equal(0)
      expect((await sharp(neededOf(file)).metadata()).hasProfile).to.equal(false)
    })
  }

  it('of a PNG are the file itself if there is nothing else in it', () => {
    const file = png({ width: 1, height: 1, bits: 8, colour: 0, rows: [Buffer.of(7)] })
    const { needed } = readPngHeader(file, false)
    expect([needed.buffer, needed.byteOffset, needed.length]).to.deep.equal([
      file.buffer,
      file.byteOffset,
      file.length,
    ])
  })

  it('of a PNG include the transparent colour', async () => {
    const chunks = [chunk('tRNS', Buffer.of(0, 9)), chunk('zTXt', Buffer.from('x\0\0'))]
    const rows = [Buffer.of(9, 8)]
    const file = png({ width: 2, height: 1, bits: 8, colour: 0, rows, chunks })
    const { data } = await sharp(neededOf(file)).ensureAlpha().raw().toBuffer({ resolveWithObject: true })
    expect([data.at(3), data.at(7)]).to.deep.equal([0, 255])
  })

  it('of a damaged text in a PNG are none: its checksum is not looked at', async () => {
    const damaged = chunk('zTXt', Buffer.concat([Buffer.from('x\0\0'), deflateSync(Buffer.alloc(9))]))
    damaged.writeUInt32BE(0, damaged.length - 4)
    const rows = [Buffer.of(9, 8)]
    const file = png({ width: 2, height: 1, bits: 8, colour: 0, rows, chunks: [damaged] })
    expect([...(await pixelsOf(file, 2, 1))]).to.deep.equal([9, 9, 9, 8, 8, 8])
  })

  it('of an animated WebP are its first frame, at its place on the canvas', async () => {
    const pixels = Buffer.from(Array.from({ length: 20 * 60 * 3 }, (_, i) => (i * i) % 251))
    const frames = { raw: { width: 20, height: 60, channels: 3, pageHeight: 20 } } as const
    const file = await sharp(pixels, frames).webp({ lossless: true }).toBuffer()
    const frame = file.indexOf('ANMF')
    // The canvas gets larger than the frame, which moves down and to the right.
    file.writeUIntLE(39, file.indexOf('VP8X') + 12, 3)
    file.writeUIntLE(29, file.indexOf('VP8X') + 15, 3)
    file.writeUIntLE(5, frame + 8, 3)
    file.writeUIntLE(3, frame + 11, 3)
    const needed = neededOf(file)
    expect(Buffer.from(needed).indexOf('ANMF', frame + 4)).to.equal(-1)
    expect(await rawPixels(needed)).to.deep.equal(await rawPixels(file))
    const { width, height } = await sharp(needed).metadata()
    expect([width, height]).to.deep.equal([40, 30])
  })

  it('of a TIFF are its first page', async () => {
    const file = tiff(3, [[700, 1, 8, 64]])
    const needed = neededOf(file)
    expect((await sharp(file).metadata()).pages).to.equal(3)
    expect(await sharp(needed).metadata())
      .to.deep.include({ pages: 1 })
      .and.not.have.property('xmp')
    expect(await rawPixels(needed)).to.deep.equal(await rawPixels(file))
  })
})

/** By the signature of the file; the middle of a name in the table above does not count. */
function neededOf(file: Buffer): Uint8Array {
  if (file[0] === 0xff) return readJpegHeader(file, false).needed
  if (file[0] === 0x89) return readPngHeader(file, false).needed
  return file[0] === 0x52 ? webpFirstFrame(file, false).needed : tiffFirstDirectory(file, false).needed
}

function rawPixels(file: Uint8Array) {
  return sharp(file, { failOn: 'error', ignoreIcc: true })
    .raw({ depth: 'ushort' })
    .toBuffer({ resolveWithObject: true })
}

function profiled(file: Buffer): Promise<Uint8Array> {
  return pixelsOf(file, 40, 30, { colourProfile: true })
}

function xmp(): string {
  return `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="${SECRET}"/></rdf:RDF></x:xmpmeta>`
}

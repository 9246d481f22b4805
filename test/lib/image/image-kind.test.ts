import { expect } from 'chai'
import { imageKind } from '../../../lib/image/image-kind.ts'
import { imageType } from '../../../pipeline/image/decode/image-type.ts'
import { bmp, gif, photo } from '../../support/image-files.ts'

describe('imageKind()', () => {
  const images: Record<string, [extension: string, type: string, bytes: () => Promise<Buffer>]> = {
    'a JPEG': ['jpg', 'image/jpeg', () => photo().jpeg().toBuffer()],
    'a PNG': ['png', 'image/png', () => photo().png().toBuffer()],
    'a GIF': [
      'gif',
      'image/gif',
      async () => gif(1, 1, Array(12).fill(0), [{ width: 1, height: 1, pixels: [0] }]),
    ],
    'an old GIF': ['gif', 'image/gif', async () => Buffer.from('GIF87a......')],
    'a WebP': ['webp', 'image/webp', () => photo().webp().toBuffer()],
    'a BMP': [
      'bmp',
      'image/bmp',
      async () => bmp({ width: 1, height: 1, bits: 24, rows: [Buffer.alloc(3)] }),
    ],
    'a TIFF': ['tiff', 'image/tiff', () => photo().tiff().toBuffer()],
    'a large TIFF': ['tiff', 'image/tiff', () => photo().tiff({ bigtiff: true }).toBuffer()],
    'an AVIF': ['avif', 'image/avif', () => photo().avif({ effort: 0 }).toBuffer()],
  }
  for (const [what, [extension, type, bytes]] of Object.entries(images)) {
    it(`knows ${what} by its first bytes, as the pipeline does`, async () => {
      const image = await bytes()
      expect(imageKind(image)).to.deep.equal({ extension, type })
      expect(`image/${imageType(image)}`).to.equal(type)
      expect(imageKind(Buffer.concat([Buffer.alloc(3), image]).subarray(3))?.type).to.equal(type)
    })
  }

  const others: Record<string, string | Buffer> = {
    nothing: '',
    text: 'just text',
    'text like a BMP': 'BMW is a maker of cars',
    'an SVG, which could run scripts': '<svg xmlns="http://www.w3.org/2000/svg"/>',
    HTML: '<!doctype html><script>alert(1)</script>',
    'a sound': Buffer.from('RIFF\0\0\0\0WAVEfmt '),
    'a HEIC': Buffer.from('\0\0\0\x18ftypheic\0\0\0\0heicmif1'),
    'a HEIC with an avif beyond its first box': Buffer.from('\0\0\0\x14ftypheic\0\0\0\0heicavif'),
    'a HEIC with an avif across two brands': Buffer.from('\0\0\0\x18ftypheic\0\0\0\0xxavifxx'),
    'a film': Buffer.from('\0\0\0\x18ftypisom\0\0\0\0isommp41'),
    'the beginning of a signature': Buffer.from('89504e47', 'hex'),
    'a signature further on': Buffer.from('20ffd8ffe0', 'hex'),
  }
  for (const [what, content] of Object.entries(others)) {
    it(`does not take ${what} for an image`, () => {
      expect(imageKind(Buffer.from(content))).to.equal(undefined)
    })
  }
})

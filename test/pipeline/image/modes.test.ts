import { expect } from 'chai'
import sharp from 'sharp'
import { bytesOf16, chunk, photo, pixelsOf, png } from '../../support/image-files.ts'

// Expected values are those of Pillow's convert('RGB').
describe('Images that are not RGB of eight bits', () => {
  const values = [0, 100, 255, 256, 1000, 0x8001, 0xffff, 0x12fe]
  const high = values.map((value) => value >> 8)

  it('clips 16-bit grey at 255', async () => {
    const file = png({ width: 8, height: 1, bits: 16, colour: 0, rows: [bytesOf16(values)] })
    expect(await bands(file, 8)).to.deep.equal([0, 100, 255, 255, 255, 255, 255, 255])
  })

  it('clips 16-bit grey with one transparent value, too', async () => {
    const chunks = [chunk('tRNS', Buffer.of(1, 0))]
    const file = png({ width: 8, height: 1, bits: 16, colour: 0, rows: [bytesOf16(values)], chunks })
    expect(await bands(file, 8)).to.deep.equal([0, 100, 255, 255, 255, 255, 255, 255])
  })

  it('takes the high byte of 16-bit grey with alpha', async () => {
    const row = bytesOf16(values.flatMap((value) => [value, 0x4000]))
    const file = png({ width: 8, height: 1, bits: 16, colour: 4, rows: [row] })
    expect(await bands(file, 8)).to.deep.equal(high)
  })

  for (const [name, colour, alpha] of [
    ['RGB', 2, []],
    ['RGBA', 6, [7]],
  ] as const) {
    it(`takes the high byte of 16-bit ${name}`, async () => {
      const row = bytesOf16(values.flatMap((value) => [value, value ^ 0x1234, value, ...alpha]))
      const pixels = await pixelsOf(png({ width: 8, height: 1, bits: 16, colour, rows: [row] }), 8, 1)
      expect([...pixels]).to.deep.equal(
        values.flatMap((value) => [value >> 8, (value ^ 0x1234) >> 8, value >> 8]),
      )
    })
  }

  it('scales grey of 1, 2 and 4 bits to 0–255', async () => {
    const file = (bits: number, row: number) =>
      png({ width: 8 / bits, height: 1, bits, colour: 0, rows: [Buffer.of(row)] })
    expect(await bands(file(1, 0b01011010), 8)).to.deep.equal([0, 255, 0, 255, 255, 0, 255, 0])
    expect(await bands(file(2, 0b00011011), 4)).to.deep.equal([0, 85, 170, 255])
    expect(await bands(file(4, 0x1f), 2)).to.deep.equal([17, 255])
  })

  it('drops alpha without blending', async () => {
    const rgba = png({
      width: 2,
      height: 1,
      bits: 8,
      colour: 6,
      rows: [Buffer.of(10, 20, 30, 0, 40, 50, 60, 128)],
    })
    expect([...(await pixelsOf(rgba, 2, 1))]).to.deep.equal([10, 20, 30, 40, 50, 60])
    const grey = png({ width: 2, height: 1, bits: 8, colour: 4, rows: [Buffer.of(99, 0, 7, 200)] })
    expect(await bands(grey, 2)).to.deep.equal([99, 7])
  })

  for (const [name, chunks] of [
    ['', []],
    [' with transparency', [chunk('tRNS', Buffer.of(0, 128))]],
  ] as const) {
    it(`looks colours up in a palette${name}`, async () => {
      const palette = chunk('PLTE', Buffer.of(1, 2, 3, 200, 100, 50))
      const file = png({
        width: 3,
        height: 1,
        bits: 1,
        colour: 3,
        rows: [Buffer.of(0b01000000)],
        chunks: [palette, ...chunks],
      })
      expect([...(await pixelsOf(file, 3, 1))]).to.deep.equal([1, 2, 3, 200, 100, 50, 1, 2, 3])
    })
  }

  it('converts CMYK by the plain formula, without a profile', async () => {
    const { inks, file } = await cmykJpeg()
    const expected = Uint8Array.from({ length: 16 * 16 * 3 }, (_, i) => {
      const at = Math.trunc(i / 3) * 4
      const light = 255 - (inks[at + 3] ?? 0)
      return light - Math.round(((inks[at + (i % 3)] ?? 0) * light) / 255)
    })
    expect(Buffer.compare(await pixelsOf(file, 16, 16), expected)).to.equal(0)
  })

  it('reads the same pixels from every variant of JPEG, PNG, WebP and TIFF', async () => {
    const image = photo()
    const pixels = await image.clone().raw().toBuffer()
    const files = {
      png: image.clone().png(),
      'interlaced png': image.clone().png({ progressive: true }),
      webp: image.clone().webp({ lossless: true }),
      tiff: image.clone().tiff({ compression: 'none' }),
      'tiff in tiles': image.clone().tiff({ compression: 'deflate', tile: true }),
    }
    for (const [name, file] of Object.entries(files)) {
      expect(Buffer.compare(await pixelsOf(await file.toBuffer(), 40, 30), pixels), name).to.equal(0)
    }
  })

  it('reads the same pixels from a progressive and a baseline JPEG', async () => {
    const plain = await photo().jpeg({ progressive: false }).toBuffer()
    const progressive = await photo().jpeg({ progressive: true }).toBuffer()
    expect(Buffer.compare(await pixelsOf(plain, 40, 30), await pixelsOf(progressive, 40, 30))).to.equal(0)
  })

  it('reads a grey JPEG', async () => {
    const file = await photo().greyscale().jpeg().toBuffer()
    const expected = await sharp(file).toColourspace('srgb').raw().toBuffer()
    expect(Buffer.compare(await pixelsOf(file, 40, 30), expected)).to.equal(0)
  })

  it('reads AVIF', async () => {
    const file = await photo().avif({ lossless: true }).toBuffer()
    const pixels = await photo().raw().toBuffer()
    const result = await pixelsOf(file, 40, 30)
    expect(Math.max(...result.map((byte, i) => Math.abs(byte - (pixels[i] ?? 0))))).to.be.at.most(2)
  })

  it('takes the first frame of an animation', async () => {
    const frames = await Promise.all([photo(), photo().negate()].map((image) => image.png().toBuffer()))
    for (const format of ['gif', 'webp'] as const) {
      const options = format === 'webp' ? { lossless: true } : {}
      const animation = await sharp(frames, { join: { animated: true } })
        .toFormat(format, options)
        .toBuffer()
      expect((await sharp(animation).metadata()).pages).to.equal(2)
      const still = await sharp(animation, { page: 0 }).removeAlpha().raw().toBuffer()
      expect(Buffer.compare(await pixelsOf(animation, 40, 30), still), format).to.equal(0)
    }
  })

  it('ignores a colour profile unless it is told to apply it', async () => {
    const stored = await photo().withIccProfile('p3').png().toBuffer()
    const raw = await sharp(stored, { ignoreIcc: true }).raw().toBuffer()
    expect(Buffer.compare(await pixelsOf(stored, 40, 30), raw)).to.equal(0)
    const applied = await pixelsOf(stored, 40, 30, { colourProfile: true })
    expect(distance(applied, raw)).to.be.above(10)
    expect(distance(applied, await photo().raw().toBuffer())).to.be.below(distance(applied, raw) / 2)
  })

  it('reads an image without a profile the same if profiles are applied', async () => {
    const cmyk = (await cmykJpeg()).file
    expect(
      Buffer.compare(await pixelsOf(cmyk, 16, 16), await pixelsOf(cmyk, 16, 16, { colourProfile: true })),
    ).to.equal(0)
  })
})

function distance(a: Uint8Array, b: Uint8Array): number {
  return a.reduce((worst, byte, i) => Math.max(worst, Math.abs(byte - (b[i] ?? 0))), 0)
}

/** Of a grey result: one value for each pixel, after a look at the other two. */
async function bands(file: Uint8Array, width: number): Promise<number[]> {
  const pixels = [...(await pixelsOf(file, width, 1))]
  expect(pixels).to.deep.equal(pixels.map((_, i) => pixels[i - (i % 3)]))
  return pixels.filter((_, i) => i % 3 === 0)
}

async function cmykJpeg() {
  const file = await photo().resize(16, 16).toColourspace('cmyk').jpeg({ quality: 95 }).toBuffer()
  const inks = await sharp(file, { ignoreIcc: true })
    .pipelineColourspace('cmyk')
    .toColourspace('cmyk')
    .raw()
    .toBuffer()
  return { inks, file }
}

import { expect } from 'chai'
import sharp from 'sharp'
import { decodeImage } from '../../../pipeline/image/decode/decode-image.ts'
import type { PixelView } from '../../../pipeline/image/decode/pixel-view.ts'
import { readDigit } from '../../../pipeline/image/digit/read-digit.ts'
import { codeOf } from '../../support/broker.ts'
import { drawn, encoded, inked } from '../../support/digits.ts'
import { HANDS, lined } from '../../support/hands.ts'
import { gif, seeded } from '../../support/image-files.ts'

const FIELD = { height: 28, width: 28, interpolation: 'nearest' as const, crop: 'stretch' as const }

async function read(file: Uint8Array, field = FIELD): Promise<Uint8Array> {
  const digit = await readDigit(file, field)
  if (!digit) throw new Error('The picture was taken for an empty one.')
  return digit
}

describe('The digit on a picture', () => {
  let usual: Uint8Array
  before(async () => {
    usual = await read(await encoded(inked(drawn({ digit: 7, width: 200 }), 255, 0), 200, 200))
  })

  it('is white on black, its longer side 20 pixels, its centre of mass in the middle', () => {
    const { left, right, top, bottom, x, y } = measured(usual)
    expect(Math.max(...usual)).to.be.greaterThan(240)
    expect(Math.max(right - left, bottom - top)).to.be.within(19, 20)
    expect(right - left).to.be.within(13, 17)
    expect(x).to.be.closeTo(14, 0.51)
    expect(y).to.be.closeTo(14, 0.51)
  })

  const same: Record<string, () => Promise<Uint8Array>> = {
    'light on dark': () => encoded(inked(drawn({ digit: 7, width: 200 }), 0, 255), 200, 200),
    'of faint ink on grey paper': () => encoded(inked(drawn({ digit: 7, width: 200 }), 190, 165), 200, 200),
    'in a corner of a wide picture': () => {
      const ink = drawn({ digit: 7, width: 600, height: 200, left: 470, top: 60, side: 130 })
      return encoded(inked(ink, 240, 30), 600, 200)
    },
    'cut out without any margin': () => {
      const ink = drawn({ digit: 7, width: 63, height: 80, left: -20, top: -13, side: 104 })
      return encoded(inked(ink, 255, 0), 63, 80)
    },
    'as large as a poster': async () => {
      const ink = drawn({ digit: 7, width: 200 })
      const small = sharp(inked(ink, 250, 10), { raw: { width: 200, height: 200, channels: 1 } })
      return small.resize(3000, 3000).jpeg().toBuffer()
    },
    'with specks of dust around it': () => {
      const pixels = inked(drawn({ digit: 7, width: 200 }), 255, 0)
      for (const at of [410, 3_000, 7_190, 39_000, 30_020]) pixels.fill(0, at, at + 2)
      return encoded(pixels, 200, 200)
    },
    'photographed in uneven light': () => photographed((x, y) => 1.1 - 0.5 * x - 0.2 * y ** 2),
    'photographed with half of it in a shadow': () => photographed((x, y) => (x + y / 5 > 0.62 ? 0.55 : 1)),
    'photographed with most of it in a shadow': () => photographed((x, y) => (x + y / 10 > 0.3 ? 0.6 : 1)),
    'photographed beside a narrow light': () => photographed((x, y) => (x - y / 8 > 0.8 ? 1.2 : 0.6)),
    'photographed with a shadow along one side': () => photographed((x) => (x > 0.72 ? 0.5 : 1)),
    'photographed on ruled paper': () => photographed((_, y) => (Math.round(y * 240) % 24 === 0 ? 0.85 : 1)),
    'in chalk on a blackboard': () => photographed((x) => 1 - 0.3 * x, { paper: 50, ink: 200 }),
    'turned by its EXIF orientation': async () => {
      const ink = inked(drawn({ digit: 7, width: 200 }), 255, 0)
      const lying = sharp(ink, { raw: { width: 200, height: 200, channels: 1 } }).rotate(-90)
      return lying.jpeg().withMetadata({ orientation: 6 }).toBuffer()
    },
  }
  for (const [how, make] of Object.entries(same)) {
    it(`is the same ${how}`, async () =>
      expect(likeness(usual, await read(await make()))).to.be.greaterThan(0.9))
  }

  for (const [pen, side] of [
    [0.004, 300],
    [0.006, 400],
    [0.01, 200],
    [0.01, 600],
    [0.03, 300],
  ] as const) {
    it(`gets lines as thick as in MNIST if they take ${100 * pen} % of ${side} pixels`, async () => {
      const ink = drawn({ digit: 7, width: side, pen })
      expect(likeness(usual, await read(await encoded(inked(ink, 255, 0), side, side)))).to.be.greaterThan(
        0.85,
      )
    })
  }

  it('keeps its holes when its lines are made thicker', async () => {
    const ink = lined(HANDS[0]?.[8] ?? [], 300, 2)
    const pixels = await read(await encoded(inked(ink, 255, 0), 300, 300))
    const { top, bottom } = measured(pixels)
    const middle = Array.from({ length: bottom - top }, (_, row) => pixels[(top + row) * 28 + 14] ?? 0)
    const holes = middle.filter((level, row) => level < 60 && (middle[row - 1] ?? 0) >= 60)
    expect(holes).to.have.length(2)
  })

  it('differs for another digit', async () => {
    const one = await read(await encoded(inked(drawn({ digit: 1, width: 200 }), 255, 0), 200, 200))
    expect(likeness(usual, one)).to.be.lessThan(0.7)
  })

  it('is left unchanged if it already has the form of MNIST', async () => {
    const ink = inked(drawn({ digit: 1, width: 28, left: -0.3, side: 28 }), 0, 255)
    expect(await read(await encoded(ink))).to.deep.equal(ink)
    expect(await read(await encoded(ink.map((level) => 255 - level)))).to.deep.equal(ink)
  })

  it('lies on white where the picture is transparent, but on black if all of its ink is white', async () => {
    const ink = drawn({ digit: 7, width: 200 })
    for (const level of [0, 255]) {
      const pixels = Uint8Array.from({ length: ink.length * 4 }, (_, i) =>
        i % 4 === 3 ? Math.round(255 * (ink[i >> 2] ?? 0)) : level,
      )
      const file = await sharp(pixels, { raw: { width: 200, height: 200, channels: 4 } })
        .png()
        .toBuffer()
      expect(likeness(usual, await read(file)), `ink ${level}`).to.be.greaterThan(0.95)
    }
  })

  it('lies on white where a GIF is transparent, whatever colour its palette has there', async () => {
    const palette = [0, 0, 0, 10, 10, 10, 200, 0, 0, 0, 0, 200]
    const ink = drawn({ digit: 7, width: 16, pen: 0.12 })
    const frame = { left: 5, top: 5, width: 16, height: 16, transparent: 0 }
    const file = gif(40, 40, palette, [{ ...frame, pixels: Array.from(ink, (part) => (part > 0.5 ? 1 : 0)) }])
    expect(likeness(usual, await read(file))).to.be.greaterThan(0.85)
  })

  it('is found for a network with another input size', async () => {
    const file = await encoded(inked(drawn({ digit: 7, width: 200 }), 255, 0), 200, 200)
    const pixels = await read(file, { ...FIELD, height: 42, width: 42 })
    const { top, bottom } = measured(pixels, 42)
    expect(bottom - top).to.be.within(29, 30)
  })

  it('is searched on a reduced picture, however large the picture is', async () => {
    const file = await sharp({ create: { width: 3000, height: 2000, channels: 3, background: 'white' } })
      .jpeg()
      .toBuffer()
    const how = { orientation: true, colourProfile: false, maxPixels: 1e7 }
    const size = ({ width, height }: PixelView) => [width, height]
    expect(await decodeImage(file, { ...how, enough: 300 }, size)).to.deep.equal([300, 200])
    expect(await decodeImage(file, how, size)).to.deep.equal([3000, 2000])
  })

  it('is found on a photograph of 48 megapixels in little time', async function () {
    this.timeout(20_000)
    const ink = inked(drawn({ digit: 7, width: 400, height: 300, left: 80, top: 40, side: 200 }), 225, 40)
    const small = sharp(ink, { raw: { width: 400, height: 300, channels: 1 } })
    const file = await small.resize(8000, 6000, { kernel: 'nearest' }).jpeg({ quality: 70 }).toBuffer()
    const before = process.cpuUsage()
    const pixels = await read(file)
    const { user, system } = process.cpuUsage(before)
    expect(likeness(usual, pixels)).to.be.greaterThan(0.9)
    // Processor time, since others may use the machine as well.
    expect((user + system) / 1000).to.be.lessThan(1500)
  })
})

describe('A picture without a digit', () => {
  const random = seeded(1)
  const empty: Record<string, () => Promise<Uint8Array>> = {
    white: () => encoded(new Uint8Array(200 * 200).fill(255), 200, 200),
    black: () => encoded(new Uint8Array(28 * 28)),
    'one pixel': () => encoded(Uint8Array.of(7), 1, 1),
    'one row': () => encoded(new Uint8Array(300).fill(99), 300, 1),
    'nothing but noise': () =>
      encoded(
        Uint8Array.from({ length: 40_000 }, () => 120 + random() * 60),
        200,
        200,
      ),
    'nothing but shading': () =>
      encoded(
        Uint8Array.from({ length: 40_000 }, (_, i) => 80 + (i % 200) / 2),
        200,
        200,
      ),
    'all transparent': () =>
      sharp(new Uint8Array(40_000), { raw: { width: 100, height: 100, channels: 4 } })
        .png()
        .toBuffer(),
  }
  for (const [what, make] of Object.entries(empty)) {
    it(`that is ${what} gives none`, async () => {
      expect(await readDigit(await make(), FIELD)).to.equal(undefined)
    })
  }

  it('that is not an image is refused with the usual error', async () => {
    expect(await codeOf(read(Buffer.from('no image')))).to.equal('ERR_IMAGE_TYPE')
    const huge = { ...FIELD, maxPixels: 100 }
    expect(await codeOf(readDigit(await encoded(new Uint8Array(784)), huge))).to.equal('ERR_IMAGE_TOO_LARGE')
  })
})

type Light = (x: number, y: number) => number

/** With noise, colours and the traces of JPEG. */
async function photographed(light: Light, { paper, ink } = { paper: 205, ink: 60 }): Promise<Buffer> {
  const random = seeded(3)
  const [width, height] = [320, 240]
  const level = inked(drawn({ digit: 7, width, height, left: 90, top: 30, side: 170, pen: 0.08 }), paper, ink)
  const pixels = Uint8ClampedArray.from({ length: width * height * 3 }, (_, i) => {
    const at = Math.floor(i / 3)
    const shown = (level[at] ?? 0) * light((at % width) / width, Math.floor(at / width) / height)
    return shown * (1 - (i % 3) * 0.04) + (random() + random() - 1) * 14
  })
  return sharp(pixels, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: 80 })
    .toBuffer()
}

function measured(pixels: Uint8Array, width = 28) {
  const inkAt = [...pixels.keys()].filter((at) => (pixels[at] ?? 0) > 30)
  const columns = inkAt.map((at) => at % width)
  const rows = inkAt.map((at) => Math.floor(at / width))
  const sum = pixels.reduce((total, level) => total + level, 0)
  const mean = (place: (at: number) => number) =>
    pixels.reduce((total, level, at) => total + level * (place(at) + 0.5), 0) / sum
  return {
    left: Math.min(...columns),
    right: Math.max(...columns) + 1,
    top: Math.min(...rows),
    bottom: Math.max(...rows) + 1,
    x: mean((at) => at % width),
    y: mean((at) => Math.floor(at / width)),
  }
}

/** 1 for the same picture, 0 for two that have no ink in common: the cosine between them, moved by a pixel at most. */
function likeness(one: Uint8Array, other: Uint8Array): number {
  const moves = [-1, 0, 1].flatMap((x) => [-28, 0, 28].map((y) => x + y))
  const dot = (a: Uint8Array, b: Uint8Array, move = 0) =>
    a.reduce((sum, level, at) => sum + level * (b[at + move] ?? 0), 0)
  const best = Math.max(...moves.map((move) => dot(one, other, move)))
  return best / Math.sqrt(dot(one, one) * dot(other, other))
}

import { expect } from 'chai'
import { Jimp } from 'jimp'
import { codeOf } from '../../support/broker.ts'
import { type BmpParts, bmp, pixelsOf, seeded } from '../../support/image-files.ts'

const random = seeded(3)
const noise = (length: number) => Buffer.from(Array.from({ length }, () => Math.trunc(random() * 256)))

// Odd widths, and even ones of which the last byte or the padding of a row is not full.
const WIDTHS = [1, 7, 8, 13]
const HEIGHT = 5

describe('BMP', () => {
  for (const bits of [1, 4, 8, 24, 32] as const) {
    for (const topDown of [false, true]) {
      it(`reads ${bits} bits a pixel from ${topDown ? 'top to bottom' : 'bottom to top'}`, async () => {
        for (const width of WIDTHS) {
          const palette = bits > 8 ? Buffer.alloc(0) : noise(4 * 2 ** bits)
          const rows = Array.from({ length: HEIGHT }, () => noise(Math.ceil((width * bits) / 8)))
          const file = bmp({ width, height: topDown ? -HEIGHT : HEIGHT, bits, rows, palette })
          const expected = (topDown ? rows : [...rows].reverse()).flatMap((row) =>
            colours(row, width, bits, palette),
          )
          expect([...(await pixelsOf(file, width, HEIGHT))], `width ${width}`).to.deep.equal(expected)
        }
      })
    }
  }

  it('scales the five or six bits of a 16-bit pixel to 0–255', async () => {
    const row = Buffer.from('1f00e003007cff7f', 'hex')
    const plain = await pixelsOf(bmp({ width: 4, height: 1, bits: 16, rows: [row] }), 4, 1)
    expect([...plain]).to.deep.equal([0, 0, 255, 0, 255, 0, 255, 0, 0, 255, 255, 255])
    const masks = [0xf800, 0x07e0, 0x001f]
    const file = bmp({ width: 4, height: 1, bits: 16, rows: [row], compression: 3, masks })
    expect([...(await pixelsOf(file, 4, 1))]).to.deep.equal([
      0, 0, 255, 0, 125, 0, 123, 129, 0, 123, 255, 255,
    ])
  })

  it('reads the colours of a 32-bit pixel by the bit fields of the header', async () => {
    const masks = [0x0000ff00, 0x00ff0000, 0xff000000]
    const file = bmp({ width: 1, height: 1, bits: 32, rows: [Buffer.of(1, 2, 3, 4)], compression: 3, masks })
    expect([...(await pixelsOf(file, 1, 1))]).to.deep.equal([2, 3, 4])
  })

  it('reads files of jimp with the same pixels as jimp does', async () => {
    const image = Jimp.fromBitmap({ width: 5, height: 3, data: new Uint8Array(noise(5 * 3 * 4)) })
    const file = await image.getBuffer('image/bmp')
    const { bitmap } = await Jimp.fromBuffer(file)
    const expected = [...bitmap.data].filter((_, i) => i % 4 !== 3)
    expect([...(await pixelsOf(file, 5, 3))]).to.deep.equal(expected)
  })

  describe('with run-length codes', () => {
    const palette = Buffer.from(Array.from({ length: 16 }, (_, i) => [i, i, i, 0]).flat())
    const coded = (bits: 4 | 8, hex: string, parts: Partial<BmpParts> = {}) =>
      bmp({
        width: 5,
        height: 3,
        bits,
        compression: bits === 8 ? 1 : 2,
        rows: [Buffer.from(hex.replaceAll(' ', ''), 'hex')],
        palette,
        ...parts,
      })
    const grey = async (file: Buffer) => [...(await pixelsOf(file, 5, 3))].filter((_, i) => i % 3 === 0)

    // Each code is written from the bottom row to the top row, and each picture from the top row to the bottom row.
    const pictures: [string, 4 | 8, string, number[]][] = [
      ['runs', 8, '05 01 0000 02 02 03 03 0000 05 04 0001', [4, 4, 4, 4, 4, 2, 2, 3, 3, 3, 1, 1, 1, 1, 1]],
      [
        'runs of two colours',
        4,
        '05 12 0000 05 33 0000 04 45 01 60',
        [4, 5, 4, 5, 6, 3, 3, 3, 3, 3, 1, 2, 1, 2, 1],
      ],
      [
        'pixels one by one, filled up to two bytes',
        8,
        '0005 0102030405 00 0000 0004 06070809 01 01 0000 05 02 0001',
        [2, 2, 2, 2, 2, 6, 7, 8, 9, 1, 1, 2, 3, 4, 5],
      ],
      [
        'two pixels in a byte, filled up to two bytes',
        4,
        '0005 123450 00 0000 0003 6780 02 90 0000 05 22 0001',
        [2, 2, 2, 2, 2, 6, 7, 8, 9, 0, 1, 2, 3, 4, 5],
      ],
      [
        'a move, and an early end',
        8,
        '01 01 0002 02 01 02 02 0001',
        [0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 1, 0, 0, 0, 0],
      ],
      [
        'runs beyond the end of a row',
        8,
        'ff 01 0000 09 02 0000 05 03',
        [3, 3, 3, 3, 3, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1],
      ],
      ['a move above the picture', 8, '05 01 0002 00 ff', [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1]],
    ]
    for (const [what, bits, hex, expected] of pictures) {
      it(`reads ${what}`, async () => {
        expect(await grey(coded(bits, hex))).to.deep.equal(expected)
      })
    }

    it('refuses runs that end in the middle of the picture', async () => {
      for (const hex of ['05 01 0000 05', '05 01 0000', '0005 0102', '0002 01']) {
        expect(await codeOf(grey(coded(8, hex))), hex).to.equal('ERR_IMAGE_DECODE')
      }
    })

    it('refuses a code for another number of bits', async () => {
      expect(await codeOf(grey(coded(8, '0001', { compression: 2 })))).to.equal('ERR_IMAGE_DECODE')
    })
  })

  it('skips a gap before the pixels', async () => {
    const parts = { width: 2, height: 1, bits: 24, rows: [Buffer.of(1, 2, 3, 4, 5, 6)] }
    expect([...(await pixelsOf(bmp({ ...parts, gap: 17 }), 2, 1))]).to.deep.equal([3, 2, 1, 6, 5, 4])
  })

  it('makes a pixel black whose colour is not in the palette', async () => {
    const palette = Buffer.of(1, 2, 3, 0, 4, 5, 6, 0)
    const file = bmp({ width: 3, height: 1, bits: 8, rows: [Buffer.of(1, 2, 255)], palette })
    expect([...(await pixelsOf(file, 3, 1))]).to.deep.equal([6, 5, 4, 0, 0, 0, 0, 0, 0])
  })

  it('reads a picture of many slices', async () => {
    const rows = Array.from({ length: 400 }, () => noise(500 * 3))
    const file = bmp({ width: 500, height: -400, bits: 24, rows })
    const expected = rows.flatMap((row) => colours(row, 500, 24, row))
    expect(Buffer.compare(await pixelsOf(file, 500, 400), Buffer.from(expected))).to.equal(0)
  })

  const sound: BmpParts = { width: 2, height: 2, bits: 24, rows: [noise(6), noise(6)] }
  const refused: [string, Partial<BmpParts>, string][] = [
    ['a width of 0', { width: 0 }, 'ERR_IMAGE_DECODE'],
    ['a negative width', { width: -2 }, 'ERR_IMAGE_DECODE'],
    ['a height of 0', { height: 0 }, 'ERR_IMAGE_DECODE'],
    ['two thousand million rows from top to bottom', { height: -(2 ** 31) }, 'ERR_IMAGE_TOO_LARGE'],
    ['two thousand million columns', { width: 2 ** 31 - 1 }, 'ERR_IMAGE_TOO_LARGE'],
    ['fewer rows than it declares', { height: 3 }, 'ERR_IMAGE_DECODE'],
    ['five bits a pixel', { bits: 5 }, 'ERR_IMAGE_DECODE'],
    ['a JPEG inside', { compression: 4 }, 'ERR_IMAGE_TYPE'],
    ['an unknown compression', { compression: 77 }, 'ERR_IMAGE_TYPE'],
    ['bit fields that overlap', { bits: 32, compression: 3, masks: [0xff, 0xff, 0xff00] }, 'ERR_IMAGE_TYPE'],
    ['bit fields of odd sizes', { bits: 16, compression: 3, masks: [0xfe00, 0x1f0, 0xf] }, 'ERR_IMAGE_TYPE'],
    ['a palette of 257 colours', { bits: 8, palette: noise(257 * 4) }, 'ERR_IMAGE_DECODE'],
    ['a palette that is not there', { bits: 8, palette: Buffer.alloc(0), rows: [] }, 'ERR_IMAGE_DECODE'],
  ]
  for (const [what, parts, code] of refused) {
    it(`refuses ${what}`, async () => {
      expect(await codeOf(pixelsOf(bmp({ ...sound, ...parts }), 2, 2))).to.equal(code)
    })
  }
})

/** RGB of one row, by the definition of the format. */
function colours(row: Buffer, width: number, bits: number, palette: Buffer): number[] {
  return Array.from({ length: width }, (_, x) => {
    if (bits > 8) return [...row.subarray((x * bits) / 8, (x * bits) / 8 + 3)].reverse()
    const byte = row[Math.trunc((x * bits) / 8)] ?? 0
    const index = (byte >> (8 - bits - ((x * bits) % 8))) & (2 ** bits - 1)
    return [...palette.subarray(index * 4, index * 4 + 3)].reverse()
  }).flat()
}

import { expect } from 'chai'
import { PipelineError } from '../../../pipeline/errors.ts'
import { readImage } from '../../../pipeline/image/read-image.ts'
import { errorOf } from '../../support/broker.ts'
import { bmp, gif, photo, pixelsOf, png, seeded } from '../../support/image-files.ts'

const FORMATS = ['jpeg', 'png', 'webp', 'gif', 'tiff', 'avif'] as const
const MUTANTS = 300

describe('Broken images', () => {
  for (const format of FORMATS) {
    it(`refuses half a ${format} with one sentence`, async () => {
      const file = await photo().resize(400, 300).toFormat(format).toBuffer()
      const error = await errorOf(pixelsOf(file.subarray(0, file.length / 2), 4, 4))
      expect(error.code).to.equal('ERR_IMAGE_DECODE')
      expect(error.message).to.match(/^The \w+ image cannot be decoded: [^\n]+\.$/)
    })
  }

  it('reads a JPEG with extra bytes after its end or between its segments', async () => {
    const file = await photo().jpeg().toBuffer()
    const pixels = await pixelsOf(file, 40, 30)
    const frame = file.indexOf(Buffer.from('ffc0', 'hex'))
    const behind = Buffer.concat([file, Buffer.from('and more')])
    const between = Buffer.concat([file.subarray(0, frame), Buffer.alloc(3), file.subarray(frame)])
    expect(Buffer.compare(await pixelsOf(behind, 40, 30), pixels)).to.equal(0)
    expect(Buffer.compare(await pixelsOf(between, 40, 30), pixels)).to.equal(0)
  })

  it('refuses a PNG whose checksum is wrong', async () => {
    const file = png({ width: 8, height: 1, bits: 8, colour: 0, rows: [Buffer.alloc(8)] })
    file.writeUInt8(file.readUInt8(file.length - 13) ^ 1, file.length - 13)
    expect((await errorOf(pixelsOf(file, 4, 4))).code).to.equal('ERR_IMAGE_DECODE')
  })

  it(`answers ${MUTANTS} damaged images with pixels or an error of its own`, async function () {
    this.timeout(60_000)
    const random = seeded(20)
    const files = await sound()
    const outcomes = new Map<string, number>()
    for (let i = 0; i < MUTANTS; i++) {
      const file = mutant(files[Math.trunc(random() * files.length)] ?? Buffer.alloc(0), random)
      const outcome = await readImage(file, {
        width: 32,
        height: 32,
        interpolation: i % 2 ? 'nearest' : 'bilinear',
        crop: i % 3 ? 'stretch' : 'center',
        colourProfile: i % 5 === 0,
      }).then(
        (pixels) => `${pixels.length} bytes`,
        (error) =>
          error instanceof PipelineError && !error.message.includes('\n') ? error.code : String(error),
      )
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
    }
    expect([...outcomes.keys()]).to.have.members([
      '3072 bytes',
      'ERR_IMAGE_DECODE',
      'ERR_IMAGE_TYPE',
      'ERR_IMAGE_TOO_LARGE',
    ])
    expect(outcomes.get('ERR_IMAGE_DECODE')).to.be.above(MUTANTS / 10)
    expect(outcomes.get('3072 bytes')).to.be.above(MUTANTS / 10)
  })
})

async function sound(): Promise<Buffer[]> {
  const palette = Buffer.alloc(64, 7)
  const rows = Array.from({ length: 9 }, () => Buffer.alloc(7, 0x5a))
  const cmyk = photo().toColourspace('cmyk').jpeg()
  const turned = photo().withMetadata({ orientation: 6 }).jpeg({ progressive: true })
  const profiled = photo().withIccProfile('p3').png({ palette: true })
  const encoded = [...FORMATS.map((format) => photo().toFormat(format)), cmyk, turned, profiled]
  return [
    ...(await Promise.all(encoded.map((image) => image.toBuffer()))),
    bmp({ width: 14, height: -9, bits: 4, rows, palette }),
    bmp({ width: 2, height: 9, bits: 24, rows }),
    gif(4, 1, [1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3], [{ width: 4, height: 1, pixels: [0, 1, 2, 3] }]),
    png({ width: 7, height: 9, bits: 8, colour: 0, rows }),
  ]
}

/** Bits turned over, cut off, or two stretches exchanged; half of the time near the beginning, where the headers are. */
function mutant(file: Buffer, random: () => number): Buffer {
  const copy = Buffer.from(file)
  const below = (limit: number) => Math.trunc(random() * limit)
  const kind = below(4)
  if (kind === 0) return copy.subarray(0, below(copy.length))
  if (kind === 1) {
    const length = 1 + below(Math.min(64, copy.length / 2))
    const [from, to] = [below(copy.length - length), below(copy.length - length)]
    const moved = Buffer.from(copy.subarray(from, from + length))
    copy.copy(copy, from, to, to + length)
    moved.copy(copy, to)
    return copy
  }
  const reach = random() < 0.5 ? copy.length : Math.min(copy.length, 200)
  for (let i = 0; i <= below(8); i++) {
    const at = below(reach)
    copy[at] = kind === 2 ? (copy[at] ?? 0) ^ (1 << below(8)) : ([0, 127, 128, 255][below(4)] ?? 0)
  }
  return copy
}

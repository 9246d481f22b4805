import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import sharp from 'sharp'
import { canBeMarked, markPicture } from '../../../scripts/shared/mark-picture.ts'
import { photographs } from '../../../scripts/shared/photographs.ts'
import type { Picture } from '../../../scripts/shared/picture.ts'
import { pictureSource, picturesIn } from '../../../scripts/stress/pictures.ts'
import { photo } from '../../support/image-files.ts'
import { runStress } from '../../support/stress.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const pixelsOf = (bytes: Buffer) => sharp(bytes, { failOn: 'warning' }).raw().toBuffer()
const distinct = (pictures: readonly { bytes: Buffer }[]) =>
  new Set(pictures.map(({ bytes }) => bytes.toString('base64'))).size

describe('The pictures of the stress test', () => {
  let made: Picture[]
  before(async () => {
    made = await photographs()
  })

  it('are different JPEGs as large as photographs, and the same ones every time', async () => {
    expect(distinct(made)).to.equal(made.length)
    for (const { bytes } of made) {
      const { format, width, height } = await sharp(bytes).metadata()
      expect([format, width, height]).to.deep.equal(['jpeg', 500, 375])
      expect(bytes.length).to.be.within(20_000, 150_000)
    }
    expect((await photographs()).map(({ bytes }) => bytes)).to.deep.equal(made.map(({ bytes }) => bytes))
  })

  it('are never sent twice with the same bytes, but with the same pixels', async () => {
    const next = pictureSource(made, false)
    const sent = Array.from({ length: 3 * made.length }, next)
    expect(distinct(sent)).to.equal(sent.length)
    const [first, again] = [sent[0], sent[made.length]]
    expect(await pixelsOf(first?.bytes ?? Buffer.of())).to.deep.equal(
      await pixelsOf(again?.bytes ?? Buffer.of()),
    )
  })

  it('are sent again as they are with --same', () => {
    const next = pictureSource(made, true)
    expect(distinct(Array.from({ length: 3 * made.length }, next))).to.equal(made.length)
  })

  for (const [kind, encode] of Object.entries({
    'a JPEG': () => photo().jpeg().toBuffer(),
    'a JPEG with EXIF': () =>
      photo()
        .withExif({ IFD0: { Copyright: 'ours' } })
        .jpeg()
        .toBuffer(),
    'a PNG': () => photo().png().toBuffer(),
  })) {
    it(`can be marked without a change of pixels: ${kind}`, async () => {
      const bytes = await encode()
      const marked = markPicture(bytes, 'number 1')
      expect(marked.includes('number 1')).to.equal(true)
      expect(await pixelsOf(marked)).to.deep.equal(await pixelsOf(bytes))
      expect((await sharp(marked).metadata()).exif).to.deep.equal((await sharp(bytes).metadata()).exif)
    })
  }

  it('stay as they are where no comment can be placed', async () => {
    const bytes = await photo().webp().toBuffer()
    expect([canBeMarked(bytes), markPicture(bytes, 'x')]).to.deep.equal([undefined, bytes])
  })
})

describe('A folder of pictures', () => {
  const folderWith = async (count: number) => {
    const folder = temporaryFolder()
    const bytes = await photo().png().toBuffer()
    for (let i = 0; i < count; i++) writeFileSync(join(folder, `${i}.jpg`), bytes)
    return { folder, bytes }
  }

  it('is read by content: neither by endings nor with other files', async () => {
    const { folder, bytes } = await folderWith(2)
    writeFileSync(join(folder, 'notes.jpg'), 'no image')
    const both = ['0.jpg', '1.jpg'].map((name) => ({ name, type: 'image/png', bytes }))
    expect(picturesIn(folder)).to.deep.equal(both)
  })

  it('may hold as many images and bytes as fit into memory, and no more', async () => {
    const { folder, bytes } = await folderWith(3)
    const limits = { maxFiles: 3, maxBytes: 3 * bytes.length }
    expect(picturesIn(folder, limits)).to.have.length(3)
    expect(() => picturesIn(folder, { ...limits, maxFiles: 2 })).to.throw('holds more than 2 images')
    expect(() => picturesIn(folder, { ...limits, maxBytes: 3 * bytes.length - 1 })).to.throw(
      /more than \d+ bytes/,
    )
  })

  it('ends the program with 2 and a sentence where it holds no image, or is not there', async () => {
    const empty = temporaryFolder()
    const [none, gone] = await Promise.all([
      runStress(['--images', empty]),
      runStress(['--images', join(empty, 'gone')]),
    ])
    expect([none.code, none.stderr]).to.deep.equal([
      2,
      `The folder of --images, "${empty}", holds no image.\n`,
    ])
    expect(gone.code).to.equal(2)
    expect(gone.stderr).to.match(/^The folder of --images, ".*gone", cannot be read: ENOENT.*\n$/)
  })
})

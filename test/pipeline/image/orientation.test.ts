import { expect } from 'chai'
import sharp from 'sharp'
import { exifOrientation } from '../../../pipeline/image/decode/exif-orientation.ts'
import { photo, pixelsOf } from '../../support/image-files.ts'

describe('EXIF orientation', () => {
  for (let orientation = 1; orientation <= 8; orientation++) {
    const [width, height] = orientation < 5 ? [40, 30] : [30, 40]

    for (const format of ['jpeg', 'png', 'webp', 'tiff'] as const) {
      it(`turns a ${format} with orientation ${orientation} upright`, async () => {
        const file = await photo().withMetadata({ orientation }).toFormat(format).toBuffer()
        const upright = await sharp(file).autoOrient().raw().toBuffer()
        expect(Buffer.compare(await pixelsOf(file, width, height), upright)).to.equal(0)
      })
    }

    it(`leaves a JPEG with orientation ${orientation} as stored if the settings say so`, async () => {
      const file = await photo().withMetadata({ orientation }).jpeg().toBuffer()
      const stored = await sharp(file).raw().toBuffer()
      expect(Buffer.compare(await pixelsOf(file, 40, 30, { orientation: false }), stored)).to.equal(0)
    })

    it(`scales an image with orientation ${orientation} like the upright one`, async () => {
      const file = await photo().withMetadata({ orientation }).jpeg().toBuffer()
      const upright = await sharp(file).autoOrient().png().toBuffer()
      const result = await pixelsOf(file, 11, 23, { interpolation: 'bicubic' })
      expect(Buffer.compare(result, await pixelsOf(upright, 11, 23, { interpolation: 'bicubic' }))).to.equal(
        0,
      )
    })
  }

  it('is read in either byte order', () => {
    const little = '49492a0008000000010012010300010000000600000000000000'
    const big = '4d4d002a00000008000101120003000000010006000000000000'
    expect(exifOrientation(Buffer.from(little, 'hex'))).to.equal(6)
    expect(exifOrientation(Buffer.from(big, 'hex'))).to.equal(6)
  })

  it('is ignored if the EXIF data is damaged', () => {
    const sound = Buffer.from('49492a0008000000010012010300010000000600000000000000', 'hex')
    for (let length = 0; length < 22; length++) expect(exifOrientation(sound.subarray(0, length))).to.equal(1)
    for (let at = 0; at < sound.length; at++) {
      const damaged = Buffer.from(sound)
      damaged[at] = 0xff
      expect(exifOrientation(damaged)).to.be.within(1, 8)
    }
  })
})

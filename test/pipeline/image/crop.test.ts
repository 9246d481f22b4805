import { expect } from 'chai'
import sharp from 'sharp'
import { readImage } from '../../../pipeline/image/read-image.ts'
import { centered } from '../../../pipeline/image/scale/placement.ts'
import { pixelsOf } from '../../support/image-files.ts'
import { smoothImage } from '../../support/synthetic.ts'

const target = { width: 224, height: 224 }

describe('Center crop', () => {
  it('scales the shorter side and takes the middle of the longer one', () => {
    expect(centered({ width: 500, height: 375 }, target, 1)).to.deep.equal({
      x: { source: 500, scaled: 298, start: 37, size: 224 },
      y: { source: 375, scaled: 224, start: 0, size: 224 },
    })
    expect(centered({ width: 300, height: 451 }, target, 256 / 224)).to.deep.equal({
      x: { source: 300, scaled: 256, start: 16, size: 224 },
      y: { source: 451, scaled: 384, start: 80, size: 224 },
    })
  })

  it('rounds halves to the even number, as torchvision does', () => {
    expect(centered({ width: 225, height: 224 }, target, 1).x.start).to.equal(0)
    expect(centered({ width: 227, height: 224 }, target, 1).x.start).to.equal(2)
  })

  it('fills a target that is not square', () => {
    const { x, y } = centered({ width: 100, height: 100 }, { width: 60, height: 30 }, 1)
    expect([x.scaled, x.start, y.scaled, y.start]).to.deep.equal([60, 0, 60, 15])
  })

  it('is never smaller than its target, however long and thin the image is', () => {
    for (const [width, height] of [
      [1, 60_000],
      [60_000, 1],
      [3, 7],
    ] as const) {
      const { x, y } = centered({ width, height }, target, 1)
      expect(x.scaled).to.be.at.least(224)
      expect(y.scaled).to.be.at.least(224)
      expect(x.start + 224).to.be.at.most(x.scaled)
      expect(y.start + 224).to.be.at.most(y.scaled)
    }
  })

  for (const interpolation of ['nearest', 'bilinear', 'bicubic'] as const) {
    it(`gives with ${interpolation} the same pixels as scaling the whole image and then cropping`, async () => {
      const file = await sharp(smoothImage(75, 100), { raw: { width: 100, height: 75, channels: 3 } })
        .png()
        .toBuffer()
      const whole = await pixelsOf(file, 64, 48, { interpolation })
      const crop = await readImage(file, {
        width: 32,
        height: 32,
        interpolation,
        crop: 'center',
        cropRatio: 1.5,
      })
      const cut = Buffer.concat(
        Array.from({ length: 32 }, (_, y) =>
          whole.subarray(((y + 8) * 64 + 16) * 3, ((y + 8) * 64 + 48) * 3),
        ),
      )
      expect(Buffer.compare(crop, cut)).to.equal(0)
    })
  }
})

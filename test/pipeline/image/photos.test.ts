import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { readImage } from '../../../pipeline/image/read-image.ts'
import { pixelsOf } from '../../support/image-files.ts'
import { describeWithShared, shared } from '../../support/shared.ts'

// SHA-256, the first 16 digits, of what Pillow 12.3 has after convert('RGB'), and after a resize to 224 × 224.
const PILLOW = [
  ['astronaut.jpg', 512, 512, 'd37dddd42572eda2', '9777f6ece7816c7f', '25474ba9f45734b3', 'bbe40603c9e2c967'],
  ['astronaut.png', 512, 512, 'a8c429c18afa7b0f', 'caf886854926e3ee', '1b8467c224081c5f', '16bff06bc3cfc3f3'],
  ['chelsea.jpg', 451, 300, 'a76287ceacd550f2', '34f0d8f8c29da57e', 'c356f72cbbe6685b', '5072eb0628e540f6'],
  ['chelsea.png', 451, 300, '416b729128bfb2c3', '45bef609c9e71675', 'af5cb2be868c96c1', '5d1e3b65736dd28d'],
  ['coffee.jpg', 600, 400, '3714114a5fce49ed', 'bf88b353e75d01bf', 'c0e020920a4f67b2', 'd88c0fcf855c2be7'],
  ['coffee.png', 600, 400, '0ce2b51640b9c95f', '5f6262eccbd03967', '00dcee0315c7e8cf', 'ec5bbc26e282170c'],
  ['rocket.jpg', 640, 427, '3d4435cc745752b7', 'ac49fd7b1c1cbf6c', '9a14fb5d2b65ad9c', '6065954dddb6391f'],
] as const

describeWithShared('Photographs, compared with Pillow', () => {
  for (const [name, width, height, whole, ...resized] of PILLOW) {
    const file = () => readFileSync(shared('data/photos', name))

    it(`gives the same pixels for ${name}, decoded without its profile, and scaled in each way`, async () => {
      expect(hash(await pixelsOf(file(), width, height)), 'as it is').to.equal(whole)
      for (const [i, interpolation] of (['nearest', 'bilinear', 'bicubic'] as const).entries()) {
        const scaled = await pixelsOf(file(), 224, 224, { interpolation })
        expect(hash(scaled), interpolation).to.equal(resized[i])
      }
    })
  }

  it('cuts the middle out as torchvision does with Pillow', async () => {
    const options = {
      width: 224,
      height: 224,
      interpolation: 'bilinear',
      crop: 'center',
      cropRatio: 256 / 224,
    } as const
    const read = (name: string) => readImage(readFileSync(shared('data/photos', name)), options)
    expect(hash(await read('coffee.jpg'))).to.equal('c850d7afa760049a')
    expect(hash(await read('chelsea.png'))).to.equal('d2380d7104e4d7d5')
  })

  it('applies the profile of a photograph if the settings say so', async () => {
    const rocket = readFileSync(shared('data/photos/rocket.jpg'))
    expect(hash(await pixelsOf(rocket, 640, 427, { colourProfile: true }))).to.not.equal('3d4435cc745752b7')
  })
})

function hash(pixels: Uint8Array): string {
  return createHash('sha256').update(pixels).digest('hex').slice(0, 16)
}

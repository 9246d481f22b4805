import sharp, { type Sharp } from 'sharp'
import { drawn, encoded, inked } from '../../test/support/digits.ts'
import { photographs } from '../shared/photographs.ts'
import type { Picture } from '../shared/picture.ts'

export interface Pictures {
  readonly photographs: readonly Picture[]
  readonly digits: readonly Picture[]
}

const DIGIT_SIDE = 84
const PAPER = 245
const INK = 20

/** Pictures by formula, in the formats that clients send most. */
export async function makePictures(): Promise<Pictures> {
  const [first, second, third, fourth] = await photographs(4)
  if (!first || !second || !third || !fourth) throw new Error('four photographs were expected')
  return {
    photographs: [
      first,
      second,
      await as('png', third, (image) => image.resize(240).png()),
      await as('webp', fourth, (image) => image.webp()),
      await as('gif', first, (image) => image.resize(200).gif()),
    ],
    digits: [await digit(1), await digit(7)],
  }
}

async function as(format: string, picture: Picture, convert: (image: Sharp) => Sharp): Promise<Picture> {
  const bytes = await convert(sharp(picture.bytes)).toBuffer()
  return { bytes, name: picture.name.replace(/\.\w+$/, `.${format}`), type: `image/${format}` }
}

async function digit(digit: 1 | 7): Promise<Picture> {
  const pixels = inked(drawn({ digit, width: DIGIT_SIDE }), PAPER, INK)
  return {
    bytes: await encoded(pixels, DIGIT_SIDE, DIGIT_SIDE),
    name: `digit-${digit}.png`,
    type: 'image/png',
  }
}

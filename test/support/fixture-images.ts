import sharp, { type Sharp } from 'sharp'
import { bmp, seeded } from './image-files.ts'
import { hash } from './synthetic.ts'

export interface FixtureImage {
  readonly name: string
  readonly bytes: Buffer
}

/** Small enough that thousands are decoded in seconds, large enough for several blocks, tiles, strips and passes. */
const WIDTH = 96
const HEIGHT = 72

/** One picture as a sound file in every format that is read. */
export async function fixtureImages(): Promise<FixtureImage[]> {
  const encoded = await Promise.all(
    Object.entries(FORMS).map(async ([name, encode]) => ({ name, bytes: await encode().toBuffer() })),
  )
  return [...encoded, { name: 'BMP', bytes: bitmap(24) }, { name: 'BMP with a palette', bytes: bitmap(8) }]
}

const FORMS: Readonly<Record<string, () => Sharp>> = {
  JPEG: () => picture().jpeg(),
  'grey JPEG': () => picture().toColourspace('b-w').jpeg(),
  'progressive JPEG': () => picture().jpeg({ progressive: true }),
  'CMYK JPEG': () => picture().toColourspace('cmyk').jpeg(),
  'JPEG turned by its EXIF': () => picture().withMetadata({ orientation: 6 }).jpeg(),
  'JPEG with a profile': () => picture().withIccProfile('p3').jpeg(),
  PNG: () => picture().png(),
  '16-bit PNG': () => picture().toColourspace('rgb16').png(),
  'PNG with a palette': () => picture().png({ palette: true }),
  'interlaced PNG': () => picture().png({ progressive: true }),
  'PNG with alpha': () => picture().ensureAlpha(0.5).png(),
  GIF: () => picture().gif(),
  'animated GIF': () => frames().gif(),
  WebP: () => picture().webp(),
  'lossless WebP': () => picture().webp({ lossless: true }),
  'WebP with alpha': () => picture().ensureAlpha(0.5).webp(),
  'animated WebP': () => frames().webp(),
  'TIFF in strips': () => picture().tiff({ compression: 'deflate' }),
  'TIFF in tiles': () =>
    picture().tiff({ tile: true, tileWidth: 32, tileHeight: 32, compression: 'deflate' }),
  'TIFF with LZW': () => picture().tiff({ compression: 'lzw', predictor: 'horizontal' }),
  'TIFF with JPEG': () => picture().tiff({ compression: 'jpeg' }),
  'TIFF with CCITT': () => bilevel().tiff({ compression: 'ccittfax4', bitdepth: 1 }),
  AVIF: () => picture().avif({ effort: 0 }),
}

function picture(): Sharp {
  return sharp(pixels(HEIGHT), { raw: { width: WIDTH, height: HEIGHT, channels: 3 } })
}

function bilevel(): Sharp {
  return picture().threshold().toColourspace('b-w')
}

/** Three frames: sharp reads the rows below the first page as further frames. */
function frames(): Sharp {
  const raw = { width: WIDTH, height: HEIGHT * 3, channels: 3, pageHeight: HEIGHT } as const
  return sharp(pixels(HEIGHT * 3), { raw })
}

/** A dark ring with some noise on a light ground, which is read as a digit and as a picture. */
function pixels(height: number): Buffer {
  const data = Buffer.alloc(WIDTH * height * 3)
  for (let i = 0; i < data.length; i++) {
    const x = Math.floor(i / 3) % WIDTH
    const y = Math.floor(i / 3 / WIDTH) % HEIGHT
    const isInk = Math.abs(Math.hypot(x - WIDTH / 2, y - HEIGHT / 2) - HEIGHT / 3) < 4
    data[i] = (isInk ? 20 : 190 + (i % 3) * 15) + (hash(0, i) % 24)
  }
  return data
}

function bitmap(bits: 8 | 24): Buffer {
  const random = seeded(bits)
  const row = () => Buffer.from(Array.from({ length: (WIDTH * bits) / 8 }, () => Math.trunc(random() * 256)))
  const palette =
    bits === 8 ? Buffer.from(Array.from({ length: 1024 }, (_, i) => (i * 7) & 255)) : Buffer.alloc(0)
  return bmp({ width: WIDTH, height: HEIGHT, bits, rows: Array.from({ length: HEIGHT }, row), palette })
}

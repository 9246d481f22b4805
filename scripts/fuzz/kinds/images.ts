import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { imageKind } from '../../../lib/image/image-kind.ts'
import { fixtureImages } from '../../../test/support/fixture-images.ts'
import {
  jpegExif,
  jpegScans,
  jpegSegments,
  pngExif,
  pngTexts,
  tiff as tiffOf,
  webpExif,
  webpFrames,
} from '../../../test/support/image-bombs.ts'
import { ChildTarget } from '../child-target.ts'
import { avif } from '../formats/avif.ts'
import { bmp } from '../formats/bmp.ts'
import { gif } from '../formats/gif.ts'
import { jpeg } from '../formats/jpeg.ts'
import { png } from '../formats/png.ts'
import { tiff } from '../formats/tiff.ts'
import { webp } from '../formats/webp.ts'
import type { Bounds } from '../target.ts'
import type { Kind } from './kind.ts'

const PUBLIC = fileURLToPath(new URL('../../../public/', import.meta.url))
const PICTURE = /\.(png|jpe?g|gif|webp|avif|tiff?|bmp)$/i

/** An image of 4 megapixels takes 0.2 s and 50 MB; each input is decoded up to four times. */
export const IMAGE_BOUNDS: Bounds = { cpuMs: 4000, memoryBytes: 256 * 2 ** 20, hangMs: 60_000 }
export const IMAGE_FORMATS = [png, jpeg, webp, gif, bmp, tiff, avif]

export const images: Kind = {
  formats: IMAGE_FORMATS,
  open: async () => ({
    target: new ChildTarget(new URL('./examine-images.ts', import.meta.url), IMAGE_BOUNDS),
    seeds: await imageSeeds(),
  }),
  extension: (input) => `.${imageKind(input)?.extension ?? 'bin'}`,
}

/** Fixtures of every form, the pictures of the pages, and what has been costly once, in small. */
export async function imageSeeds(): Promise<Buffer[]> {
  const fixtures = await fixtureImages()
  const bytesOf = (name: string) => fixtures.find((one) => one.name === name)?.bytes ?? Buffer.alloc(0)
  const [jpegFile, webpFile] = [bytesOf('JPEG'), bytesOf('WebP')]
  const pictures = readdirSync(PUBLIC, { recursive: true, encoding: 'utf8' })
    .filter((name) => PICTURE.test(name))
    .sort()
    .map((name) => readFileSync(PUBLIC + name))
  const costly = [
    pngTexts(3, 1000),
    pngExif(5, 100),
    jpegScans(64, 64, 20),
    jpegSegments(jpegFile, 10),
    jpegExif(jpegFile, 5, 100),
    webpFrames(webpFile, 3),
    webpExif(webpFile, 96, 72, 5, 100),
    tiffOf(3),
    tiffOf(1, [[274, 3, 6]]),
  ]
  return [...fixtures.map(({ bytes }) => bytes), ...pictures, ...costly]
}

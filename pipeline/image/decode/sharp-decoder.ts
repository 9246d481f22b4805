import sharp, { type Metadata } from 'sharp'
import type { PipelineError } from '../../errors.ts'
import type { Backdrop, Margin } from './backdrop.ts'
import { brokenImage } from './image-limits.ts'
import { type ImageType, notRead } from './image-type.ts'

// sharp works on the threads of libuv. A single image gains little from a second thread (12 megapixels: 52 → 43 ms),
// and on a small machine takes that from the model, which computes at the same time on all cores.
sharp.concurrency(1)
// The cache is for operations that are repeated; here every image is decoded once, and would only stay in memory.
sharp.cache(false)
// An SVG can name other files, and each further reader is one more to attack. These are the ones that are needed; the
// one for "Ultra HDR" JPEGs is not among them: the plain one reads those too, as other programs do.
sharp.block({ operation: ['VipsForeignLoad'] })
sharp.unblock({
  operation: ['Jpeg', 'Png', 'Webp', 'Nsgif', 'Tiff', 'Heif'].map((name) => `VipsForeignLoad${name}Buffer`),
})

// An image within the limit on pixels takes two seconds at most (AVIF); this ends one that is made to take for ever.
const MAX_SECONDS = 20

// Texts out of libraries are passed on in messages, and some quote from the file.
const MAX_REASON = 200
const SAYS_NOTHING = /^$|^bad seek to |^Unknown error$/

export interface Decoded {
  readonly data: Uint8Array
  readonly width: number
  readonly height: number
  readonly channels: number
}

export interface DecodePlan {
  readonly type: ImageType
  /**
   * What is wanted: `grey` is one channel; `clipped` is one, too, of 16-bit values cut off at 255; `cmyk` is the four
   * inks as they are stored.
   */
  readonly colours: 'rgb' | 'grey' | 'clipped' | 'cmyk'
  readonly maxPixels: number
  readonly orientation?: boolean
  /** Turn the colours into sRGB by the profile that is embedded. Only with `rgb`. */
  readonly colourProfile?: boolean
  /** What to add around the image. */
  readonly margin?: Margin
  /** What transparent pixels are laid on; without it, they are taken for opaque. */
  readonly paper?: Backdrop | undefined
  /** A longer side is made so long while the image is decoded, where that is possible. */
  readonly enough?: number | undefined
}

/** What the header of an image says, without decoding it and without a limit on its size. */
export async function readMetadata(bytes: Uint8Array, type: ImageType): Promise<Metadata> {
  try {
    return await sharp(bytes, { limitInputPixels: false }).metadata()
  } catch (error) {
    throw readable(error, type)
  }
}

/** 8-bit pixels, first page. */
export async function decodeWithSharp(bytes: Uint8Array, plan: DecodePlan): Promise<Decoded> {
  const { colours, maxPixels, orientation = false, colourProfile = false, margin, paper, enough } = plan
  try {
    // A truncated or damaged image is refused, as by Pillow: its prediction would be about the grey that fills it up.
    // Mere warnings are no reason, since many a camera gives cause for them.
    const image = sharp(bytes, {
      failOn: 'error',
      limitInputPixels: maxPixels,
      ignoreIcc: !colourProfile,
      autoOrient: orientation,
    }).timeout({
      seconds: MAX_SECONDS,
    })
    if (paper) image.flatten({ background: paper })
    else image.removeAlpha()
    if (margin) image.extend(margin)
    else if (enough)
      image.resize(enough, enough, { fit: 'inside', withoutEnlargement: true, kernel: 'linear' })
    if (colours === 'grey') image.toColourspace('b-w')
    if (colours === 'clipped') image.toColourspace('grey16')
    if (colours === 'cmyk') image.pipelineColourspace('cmyk').toColourspace('cmyk')
    // Before a profile is applied: from 16-bit colours sharp would go to another space than sRGB.
    if (colourProfile) image.pipelineColourspace('srgb')
    const { data, info } = await image.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true })
    return { data, width: info.width, height: info.height, channels: info.channels }
  } catch (error) {
    throw readable(error, plan.type)
  }
}

/** libvips says it in several lines, behind the names of its parts; the first that says something has the cause. */
function readable(error: unknown, type: ImageType): PipelineError {
  const message = error instanceof Error ? error.message : String(error)
  // The signature is one of an image of this type, and still no reader wants it.
  if (/unsupported image format/i.test(message)) {
    if (type === 'avif') return notRead('an AVIF image without a still picture', error)
    return brokenImage(type, 'its header is damaged or cut off', error)
  }
  if (/libpng read error/.test(message)) return brokenImage('png', 'its data is damaged or cut off', error)
  const lines = message.replace(/^Input buffer has corrupt header:\s*/, '').split('\n')
  const clear = lines
    .map((line) => line.trim().replace(/^(\w+: )+/, ''))
    .find((line) => !SAYS_NOTHING.test(line))
  return brokenImage(type, clear?.replace(/[.\s]+$/, '').slice(0, MAX_REASON) ?? 'it is damaged', error)
}

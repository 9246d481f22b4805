import sharp, { type Metadata } from 'sharp'
import { PipelineError } from '../../errors.ts'
import type { Backdrop, Margin } from './backdrop.ts'
import { brokenImage } from './image-limits.ts'
import { type ImageType, notRead, TYPE_NAMES } from './image-type.ts'

// sharp runs on libuv's thread pool. A second thread for one image gains little (12 megapixels: 52 → 43 ms), and on a
// small machine takes its time from the model, which computes on all cores meanwhile.
sharp.concurrency(1)
// The cache serves repeated operations; here every image is decoded once, and the cache would only keep it in memory.
sharp.cache(false)
// Only the loaders that are needed: an SVG can refer to other files, and every loader can be attacked. The loader for
// "Ultra HDR" JPEGs is not needed: the plain JPEG loader reads them too, as other programs do.
sharp.block({ operation: ['VipsForeignLoad'] })
sharp.unblock({
  operation: ['Jpeg', 'Png', 'Webp', 'Nsgif', 'Tiff', 'Heif'].map((name) => `VipsForeignLoad${name}Buffer`),
})

// An image within the limit on pixels takes at most two seconds (AVIF).
const MAX_SECONDS = 15

// Messages contain texts of the libraries, and some of these quote the file.
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
  /** `grey`: one channel. `clipped`: one channel, of 16-bit values clipped at 255. `cmyk`: the four inks as stored. */
  readonly colours: 'rgb' | 'grey' | 'clipped' | 'cmyk'
  readonly maxPixels: number
  /** Seconds after which the decoding is given up between two rows. */
  readonly maxSeconds?: number | undefined
  /** Converts the colours to sRGB by the embedded profile. Only with `rgb`. */
  readonly colourProfile?: boolean
  /** A margin to add around the image. */
  readonly margin?: Margin
  /** The background of transparent pixels. If left out, the alpha channel is ignored. */
  readonly paper?: Backdrop | undefined
  /** A longer side above this is scaled down to this, if possible while decoding. Not used with `margin`. */
  readonly enough?: number | undefined
}

/** Reads the header of an image. Decodes nothing, and has no limit on the size. */
export async function readMetadata(bytes: Uint8Array, type: ImageType): Promise<Metadata> {
  try {
    return await sharp(bytes, { limitInputPixels: false }).metadata()
  } catch (error) {
    throw readable(error, type)
  }
}

/** Decodes the first page to 8-bit pixels. */
export async function decodeWithSharp(bytes: Uint8Array, plan: DecodePlan): Promise<Decoded> {
  const { colours, maxPixels, maxSeconds = MAX_SECONDS, colourProfile = false, margin, paper, enough } = plan
  try {
    // A truncated or damaged image is refused, as in Pillow: the decoder fills up with grey, and the prediction would be
    // about that. Mere warnings are accepted, since the files of many cameras cause them.
    const image = sharp(bytes, {
      failOn: 'error',
      limitInputPixels: maxPixels,
      ignoreIcc: !colourProfile,
    }).timeout({
      seconds: maxSeconds,
    })
    if (paper) image.flatten({ background: paper })
    else image.removeAlpha()
    if (margin) image.extend(margin)
    else if (enough)
      image.resize(enough, enough, { fit: 'inside', withoutEnlargement: true, kernel: 'linear' })
    if (colours === 'grey') image.toColourspace('b-w')
    if (colours === 'clipped') image.toColourspace('grey16')
    if (colours === 'cmyk') image.pipelineColourspace('cmyk').toColourspace('cmyk')
    // Needed with a profile: sharp would convert 16-bit colours to another space than sRGB.
    if (colourProfile) image.pipelineColourspace('srgb')
    const { data, info } = await image.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true })
    return { data, width: info.width, height: info.height, channels: info.channels }
  } catch (error) {
    throw readable(error, plan.type)
  }
}

/** libvips gives several lines with prefixes; the first line that says something names the cause. */
function readable(error: unknown, type: ImageType): PipelineError {
  const message = error instanceof Error ? error.message : String(error)
  if (/^timeout: /.test(message)) {
    const sentence = `The ${TYPE_NAMES[type]} image takes too much time to decode.`
    return new PipelineError('ERR_IMAGE_COST', sentence, { cause: error })
  }
  // The signature is that of this type, but no loader accepts the file.
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

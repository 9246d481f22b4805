import { avifSizes } from './avif-sizes.ts'
import type { Backdrop } from './backdrop.ts'
import { bmpHeader } from './bmp-header.ts'
import { cmykToRgb } from './cmyk-to-rgb.ts'
import { decodeBmp } from './decode-bmp.ts'
import { withRoomFor } from './decoding-room.ts'
import { gifFirstFrame } from './gif-first-frame.ts'
import { brokenImage, checkSize } from './image-limits.ts'
import { type ImageType, imageType, notRead, TYPE_NAMES } from './image-type.ts'
import { readJpegHeader } from './jpeg-header.ts'
import { type PixelView, pixelView } from './pixel-view.ts'
import { readPngHeader } from './png-header.ts'
import { type DecodePlan, decodeWithSharp, readMetadata } from './sharp-decoder.ts'

export interface DecodeOptions {
  readonly orientation: boolean
  readonly colourProfile: boolean
  readonly maxPixels: number
  /** What transparent pixels are laid on. Without it, they are taken for opaque. */
  readonly paper?: Backdrop
  /** A larger image may be handed over smaller, its longer side not below this: not by Pillow's rules, but soon. */
  readonly enough?: number
}

/** What the header of an image says, found sound and within the limits; nothing is decoded yet. */
interface Opened {
  readonly width: number
  readonly height: number
  readonly decode: (wanted: DecodeOptions) => Promise<PixelView>
}

// Colour spaces by libvips' names. LAB and floating point would be some conversion of our own choosing.
const READ_SPACES = new Set(['srgb', 'rgb', 'b-w', 'rgb16', 'grey16', 'cmyk'])
const READ_DEPTHS = new Set(['uchar', 'ushort'])

/**
 * Hands the pixels over as Pillow's `convert('RGB')` would have them, as long as `use` runs: the memory for them counts
 * until it has ended.
 */
export async function decodeImage<Result>(
  bytes: Uint8Array,
  options: DecodeOptions,
  use: (pixels: PixelView) => Result | Promise<Result>,
): Promise<Result> {
  const { width, height, decode } = await open(bytes, options)
  return withRoomFor(width * height, async () => use(await decode(options)))
}

async function open(bytes: Uint8Array, options: DecodeOptions): Promise<Opened> {
  const type = imageType(bytes)
  if (type === 'bmp') return openBmp(bytes, options)
  if (type === 'gif') return openGif(bytes, options)
  // Whether a profile is there is known from the metadata alone.
  if (options.colourProfile) return openByMetadata(type, bytes, options)
  if (type === 'jpeg') return openJpeg(bytes, options)
  if (type === 'png') return openPng(bytes, options)
  return openByMetadata(type, bytes, options)
}

function openJpeg(bytes: Uint8Array, { orientation: turn, maxPixels }: DecodeOptions): Opened {
  const { width, height, components, orientation } = readJpegHeader(bytes)
  checkSize(width, height, maxPixels)
  const plan = { type: 'jpeg', colours: jpegColours(components), maxPixels } as const
  return opened(width, height, bytes, plan, turn ? orientation : 1)
}

function jpegColours(components: number): DecodePlan['colours'] {
  if (components === 1) return 'grey'
  return components === 4 ? 'cmyk' : 'rgb'
}

function openPng(bytes: Uint8Array, { orientation, maxPixels }: DecodeOptions): Opened {
  const { width, height, bits, grey, alpha } = readPngHeader(bytes)
  checkSize(width, height, maxPixels)
  const colours = greyOrRgb(grey, bits === 16, alpha)
  return opened(width, height, bytes, { type: 'png', colours, maxPixels, orientation })
}

/** Pillow cuts 16-bit grey off at 255. In all other 16-bit images it takes the high byte. */
function greyOrRgb(grey: boolean, deep: boolean, alpha: boolean): DecodePlan['colours'] {
  // From 16 bits to one channel of 8, libvips would round.
  if (!grey || (deep && alpha)) return 'rgb'
  return deep ? 'clipped' : 'grey'
}

function openGif(bytes: Uint8Array, { maxPixels, paper }: DecodeOptions): Opened {
  const { width, height, margin, file } = gifFirstFrame(bytes, paper)
  checkSize(width, height, maxPixels)
  return opened(width, height, file, { type: 'gif', colours: 'rgb', maxPixels, margin })
}

function openBmp(bytes: Uint8Array, { maxPixels }: DecodeOptions): Opened {
  const header = bmpHeader(bytes)
  const { width, height, neededBytes } = header
  checkSize(width, height, maxPixels)
  if (neededBytes > bytes.length) {
    throw brokenImage('bmp', `its pixels need ${neededBytes} bytes, the file has ${bytes.length}`)
  }
  return { width, height, decode: async () => pixelView(await decodeBmp(bytes, header), width, height, 3) }
}

/**
 * WebP, TIFF and AVIF. The pixels of an AVIF may differ from Pillow's at the edges of colours, since another library
 * spreads the halved colours there, and its own rotation is part of the image: it is applied in any case.
 */
async function openByMetadata(type: ImageType, bytes: Uint8Array, options: DecodeOptions): Promise<Opened> {
  if (type === 'avif') {
    for (const size of avifSizes(bytes)) checkSize(size.width, size.height, options.maxPixels)
  }
  const { width, height, space, depth, hasAlpha, hasProfile } = await readMetadata(bytes, type)
  const { maxPixels, orientation } = options
  checkSize(width, height, maxPixels)
  // sharp would not fail here, but find some way to show these numbers.
  if (!READ_SPACES.has(space) || !READ_DEPTHS.has(depth)) {
    throw notRead(`a ${TYPE_NAMES[type]} image with ${space} pixels of the type ${depth}`)
  }
  if (options.colourProfile && hasProfile) {
    const plan = { type, colours: 'rgb', maxPixels, orientation, colourProfile: true } as const
    return opened(width, height, bytes, plan)
  }
  if (type === 'jpeg') return openJpeg(bytes, options)
  const grey = space === 'b-w' || space === 'grey16'
  const colours = space === 'cmyk' ? 'cmyk' : greyOrRgb(grey, space === 'grey16', hasAlpha)
  return opened(width, height, bytes, { type, colours, maxPixels, orientation })
}

/** The size is the one that was checked; sharp holds itself to it and may turn it by the orientation. */
function opened(
  width: number,
  height: number,
  bytes: Uint8Array,
  plan: DecodePlan,
  orientation?: number,
): Opened {
  return {
    width,
    height,
    async decode({ paper, enough }) {
      const { data, width, height, channels } = await decodeWithSharp(bytes, { ...plan, paper, enough })
      if (channels !== 4) return pixelView(data, width, height, channels, orientation)
      return pixelView(await cmykToRgb(data), width, height, 3, orientation)
    },
  }
}

import { checkAvif } from './avif-boxes.ts'
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
import { tiffFirstDirectory } from './tiff-directory.ts'
import { webpFirstFrame } from './webp-frame.ts'

export interface DecodeOptions {
  readonly orientation: boolean
  readonly colourProfile: boolean
  readonly maxPixels: number
  /** Seconds after which the decoding is given up. */
  readonly maxSeconds?: number | undefined
  /** Called when the decoding starts. */
  readonly started?: (() => void) | undefined
  /** The background of transparent pixels. If left out, the alpha channel is ignored. */
  readonly paper?: Backdrop
  /** A larger image may be returned smaller, with a longer side of at least this: faster, but not as Pillow scales. */
  readonly enough?: number
}

/** An image whose header has been read and checked against the limits; its pixels are not decoded yet. */
interface Opened {
  readonly width: number
  readonly height: number
  readonly decode: (wanted: DecodeOptions) => Promise<PixelView>
}

// Colour spaces by libvips' names. LAB and floating point have no agreed conversion to RGB bytes.
const READ_SPACES = new Set(['srgb', 'rgb', 'b-w', 'rgb16', 'grey16', 'cmyk'])
const READ_DEPTHS = new Set(['uchar', 'ushort'])

/**
 * Decodes to the same pixels as Pillow's `convert('RGB')` and passes them to `use`. The pixels count towards the limit
 * on memory until `use` has ended.
 */
export async function decodeImage<Result>(
  bytes: Uint8Array,
  options: DecodeOptions,
  use: (pixels: PixelView) => Result | Promise<Result>,
): Promise<Result> {
  const { width, height, decode } = await open(bytes, options)
  return withRoomFor(width * height, async () => {
    options.started?.()
    return use(await decode(options))
  })
}

async function open(bytes: Uint8Array, options: DecodeOptions): Promise<Opened> {
  const type = imageType(bytes)
  switch (type) {
    case 'bmp':
      return openBmp(bytes, options)
    case 'gif':
      return openGif(bytes, options)
    case 'jpeg':
      return openJpeg(bytes, options)
    case 'png':
      return openPng(bytes, options)
    default:
      return openByMetadata(type, bytes, options)
  }
}

async function openJpeg(bytes: Uint8Array, options: DecodeOptions): Promise<Opened> {
  const { maxPixels, colourProfile } = options
  const { width, height, components, orientation, needed } = readJpegHeader(bytes, colourProfile)
  checkSize(width, height, maxPixels)
  const profiled = colourProfile && (await readReadable('jpeg', needed, maxPixels)).hasProfile
  const colours = profiled ? 'rgb' : jpegColours(components)
  const plan = { type: 'jpeg', colours, maxPixels, colourProfile: profiled } as const
  return opened(width, height, needed, plan, turned(orientation, options))
}

function jpegColours(components: number): DecodePlan['colours'] {
  if (components === 1) return 'grey'
  return components === 4 ? 'cmyk' : 'rgb'
}

async function openPng(bytes: Uint8Array, options: DecodeOptions): Promise<Opened> {
  const { maxPixels, colourProfile } = options
  const { width, height, bits, grey, alpha, orientation, needed } = readPngHeader(bytes, colourProfile)
  checkSize(width, height, maxPixels)
  const profiled = colourProfile && (await readReadable('png', needed, maxPixels)).hasProfile
  const colours = profiled ? 'rgb' : greyOrRgb(grey, bits === 16, alpha)
  const plan = { type: 'png', colours, maxPixels, colourProfile: profiled } as const
  return opened(width, height, needed, plan, turned(orientation, options))
}

/** Pillow clips 16-bit grey at 255, and takes the high byte in all other 16-bit images. */
function greyOrRgb(grey: boolean, deep: boolean, alpha: boolean): DecodePlan['colours'] {
  // Grey with alpha is decoded as RGB: converting 16 bits to one channel of 8 bits, libvips would round.
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
    throw brokenImage('bmp', `its pixels need ${neededBytes} bytes, but the file has ${bytes.length}`)
  }
  return { width, height, decode: async () => pixelView(await decodeBmp(bytes, header), width, height, 3) }
}

/**
 * WebP, TIFF and AVIF. An AVIF may differ from Pillow at colour edges, because another library upsamples the chroma. The
 * rotation stored in an AVIF is part of the image and is always applied.
 */
async function openByMetadata(
  type: 'webp' | 'tiff' | 'avif',
  bytes: Uint8Array,
  options: DecodeOptions,
): Promise<Opened> {
  const { maxPixels } = options
  const { orientation, needed } = neededOf(type, bytes, options)
  const { width, height, space, hasAlpha, hasProfile } = await readReadable(type, needed, maxPixels)
  const colourProfile = options.colourProfile && hasProfile
  const plan = { type, maxPixels, colourProfile, colours: 'rgb' } as const
  if (colourProfile) return opened(width, height, needed, plan, turned(orientation, options))
  const grey = space === 'b-w' || space === 'grey16'
  const colours = space === 'cmyk' ? 'cmyk' : greyOrRgb(grey, space === 'grey16', hasAlpha)
  return opened(width, height, needed, { ...plan, colours }, turned(orientation, options))
}

function neededOf(
  type: 'webp' | 'tiff' | 'avif',
  bytes: Uint8Array,
  { colourProfile, maxPixels }: DecodeOptions,
): { orientation: number; needed: Uint8Array } {
  if (type === 'webp') return webpFirstFrame(bytes, colourProfile)
  if (type === 'tiff') return tiffFirstDirectory(bytes, colourProfile)
  checkAvif(bytes, maxPixels)
  return { orientation: 1, needed: bytes }
}

/** What libvips says of the image. Refuses pixels that cannot be read: sharp would convert them in a way of its own. */
async function readReadable(type: ImageType, needed: Uint8Array, maxPixels: number) {
  const metadata = await readMetadata(needed, type)
  const { width, height, space, depth } = metadata
  checkSize(width, height, maxPixels)
  if (READ_SPACES.has(space) && READ_DEPTHS.has(depth)) return metadata
  throw notRead(`a ${TYPE_NAMES[type]} image with ${space} pixels of the type ${depth}`)
}

function turned(orientation: number, options: DecodeOptions): number {
  return options.orientation ? orientation : 1
}

/** `width` and `height` are the checked size; sharp enforces the limit again. */
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
    async decode({ maxSeconds, paper, enough }) {
      const how = { ...plan, maxSeconds, paper, enough }
      const { data, width, height, channels } = await decodeWithSharp(bytes, how)
      if (channels !== 4) return pixelView(data, width, height, channels, orientation)
      return pixelView(await cmykToRgb(data), width, height, 3, orientation)
    },
  }
}

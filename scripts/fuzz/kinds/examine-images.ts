import { imageKind } from '../../../lib/image/image-kind.ts'
import type { PipelineError } from '../../../pipeline/errors.ts'
import { readDigit } from '../../../pipeline/image/digit/read-digit.ts'
import { type ImageOptions, readImage } from '../../../pipeline/image/read-image.ts'
import { shapeOf } from '../measure.ts'
import type { Examiner } from '../target.ts'

const SIDE = 32
/** Low, so that an image with a wrong size costs milliseconds. The default is 50 million. */
const MAX_PIXELS = 4_000_000
const CODES = ['ERR_IMAGE_COST', 'ERR_IMAGE_DECODE', 'ERR_IMAGE_TOO_LARGE', 'ERR_IMAGE_TYPE']
const LONGEST_MESSAGE = 1000

const COMMON = { width: SIDE, height: SIDE, maxPixels: MAX_PIXELS } as const
const PLAIN: ImageOptions = { ...COMMON, interpolation: 'bilinear', crop: 'stretch', orientation: false }
const COLOURS: ImageOptions = { ...COMMON, interpolation: 'bicubic', crop: 'center', colourProfile: true }

type Way = (bytes: Buffer) => Promise<Uint8Array | undefined>

const WAYS: readonly (readonly [name: string, bytesPerPixel: number, read: Way])[] = [
  ['plain', 3, (bytes) => readImage(bytes, PLAIN)],
  ['colours', 3, (bytes) => readImage(bytes, COLOURS)],
  ['digit', 1, (bytes) => readDigit(bytes, PLAIN)],
]

/** The readers of headers, the decoders and the scaling, as a child of the service uses them. */
export async function openExaminer(): Promise<Examiner> {
  return {
    async examine(input) {
      const kind = imageKind(input)?.extension ?? 'unknown'
      const ways: string[] = []
      for (const [name, depth, read] of WAYS) ways.push(`${name} ${await outcome(read, input, depth)}`)
      return `${kind}: ${ways.join(', ')}`
    },
  }
}

async function outcome(read: Way, input: Buffer, bytesPerPixel: number): Promise<string> {
  try {
    const pixels = await read(input)
    if (pixels === undefined) return 'empty'
    const expected = SIDE * SIDE * bytesPerPixel
    if (pixels.length !== expected) throw new Error(`${pixels.length} bytes of pixels, not ${expected}`)
    return 'read'
  } catch (error) {
    return foreseen(error, CODES)
  }
}

/** Code and message of an error that a caller can show; any other error is thrown again. */
export function foreseen(error: unknown, codes: readonly string[]): string {
  if (!isPipelineError(error) || !codes.includes(error.code)) throw error
  const { code, message } = error
  if (message.length > LONGEST_MESSAGE)
    throw new Error(`${code} has a message of ${message.length} characters`)
  if (/[\r\n]/.test(message)) throw new Error(`${code} has a message of several lines: ${message}`)
  return `${code} ${shapeOf(message)}`
}

/** By name: a module that is imported late may have a copy of the class when tsx loads the tests. */
const isPipelineError = (error: unknown): error is PipelineError =>
  error instanceof Error && error.name === 'PipelineError'

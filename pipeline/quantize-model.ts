import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import type { MakePipeline, PipelineContext } from '../broker/pipeline.ts'
import { PipelineError } from './errors.ts'
import { findAndFetch } from './found-model.ts'
import { openParts, type PipelineOptions } from './make-pipeline.ts'
import type { Pictures } from './quantize/pictures.ts'
import { type QuantizeRequest, quantize } from './quantize/quantize.ts'
import { readPixels } from './read-input.ts'

export type QuantizeOptions = PipelineOptions &
  QuantizeRequest & {
    /** The paths of the pictures. */
    pictures: readonly string[]
  }

export type QuantizeAnswer =
  | { done: false; fraction: number; word: string }
  | { done: true; text: string; folder: string | null }

/** A pipeline that quantizes a model, one step at each call. */
export async function makePipeline(options: QuantizeOptions, { progress }: PipelineContext) {
  const found = await findAndFetch(options, progress)
  const pictures = await readPictures(options, progress)
  const steps = quantize(found, pictures, options)
  return {
    methods: ['step'],
    info: {},
    async step(): Promise<QuantizeAnswer> {
      const next = await steps.next()
      if (!next.done) return { done: false, ...next.value }
      const { text, folder } = next.value
      return { done: true, text, folder: folder ?? null }
    },
  }
}

makePipeline satisfies MakePipeline

/** Of what the pictures take in memory as pixels: the noise of layers is measured with the same pictures again and again. */
const KEPT_BYTES = 256 * 2 ** 20

async function readPictures(
  options: QuantizeOptions,
  progress: PipelineContext['progress'],
): Promise<Pictures> {
  const { image, engine } = await openParts(
    { ...options, engine: 'onnx', device: 'cpu', precision: 'fp32' },
    progress,
  )
  await engine.close()
  const kept = new Map<number, Uint8Array>()
  let bytes = 0
  return {
    count: options.pictures.length,
    async read(at) {
      const known = kept.get(at)
      if (known) return known
      const path = options.pictures[at] ?? ''
      const pixels = await readPixels(await readFile(path), image, image.channels).catch((cause: unknown) => {
        const why = cause instanceof Error ? cause.message : String(cause)
        throw new PipelineError('ERR_IMAGE_DECODE', `${basename(path)}: ${why}`, { cause })
      })
      if (!pixels) throw new PipelineError('ERR_IMAGE_DECODE', `${basename(path)} shows no digit.`)
      bytes += pixels.length
      if (bytes <= KEPT_BYTES) kept.set(at, pixels)
      return pixels
    },
  }
}

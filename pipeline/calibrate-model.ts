import { constants, setPriority } from 'node:os'
import type { MakePipeline, PipelineContext } from '../broker/pipeline.ts'
import { findAndFetch, type ModelRequest } from './found-model.ts'
import { PictureSample } from './quantize/picture-sample.ts'
import { type ByRequests, quantizeByRequests } from './quantize/quantize-by-requests.ts'

export type CalibrateOptions = ModelRequest & ByRequests

export type CalibrateAnswer =
  | { done: false; fraction: number; word: string }
  /** `sentence` is null if the model stays float. */
  | { done: true; sentence: string | null }

/** A pipeline that quantizes a model with pictures that `add` has brought, one step at each call. The pictures are not kept. */
export async function makePipeline(options: CalibrateOptions, { progress }: PipelineContext) {
  // Before ONNX Runtime starts threads, which inherit it.
  setPriority(constants.priority.PRIORITY_LOW)
  const found = await findAndFetch(options, progress)
  const sample = new PictureSample()
  let steps: ReturnType<typeof quantizeByRequests> | undefined
  return {
    methods: ['add', 'step'],
    info: {},
    /** Returns how many pictures there are. */
    add(pictures: readonly Uint8Array[]): number {
      for (const pixels of pictures) sample.add(pixels)
      return sample.size
    },
    async step(): Promise<CalibrateAnswer> {
      steps ??= quantizeByRequests(found, sample.pictures, options)
      const next = await steps.next()
      return next.done ? { done: true, sentence: next.value } : { done: false, ...next.value }
    },
  }
}

makePipeline satisfies MakePipeline

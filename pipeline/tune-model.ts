import { setPriority } from 'node:os'
import type { MakePipeline, PipelineContext } from '../broker/pipeline.ts'
import { findAndFetch, type ModelRequest } from './found-model.ts'
import { type TuneRequest, type TuneStep, tune } from './tuning/tune.ts'
import { type Tuning, tuningSentence } from './tuning/tuning.ts'

export type TuneOptions = ModelRequest & TuneRequest

export type TuneAnswer =
  | ({ done: false } & TuneStep)
  | { done: true; sentence: string | null; tuning: Tuning }

/** The lowest priority: other processes get the cores first. */
const NICE = 19

/** A pipeline that tunes a model, one step at each call, so that the caller decides when the machine is free for a step. */
export async function makePipeline(options: TuneOptions, { progress }: PipelineContext) {
  // Before ONNX Runtime starts threads, which inherit it.
  setPriority(NICE)
  const found = await findAndFetch(options, progress)
  const steps = tune(found, options)
  return {
    methods: ['step'],
    info: { tunable: !found.isOnnx },
    async step({ disturbed }: { disturbed: boolean }): Promise<TuneAnswer> {
      const next = await steps.next(disturbed)
      if (!next.done) return { done: false, ...next.value }
      const { tuning } = next.value
      return { done: true, sentence: tuningSentence(tuning) ?? null, tuning }
    },
  }
}

makePipeline satisfies MakePipeline

/* The parts of the built-in pipeline, for a pipeline of one's own: `tandem-serve/pipeline`. */

import { catalog } from './models/catalog.ts'

export type { MakePipeline, Pipeline, PipelineContext, PrepareContext, Progress } from '../broker/pipeline.ts'
export { PipelineError, type PipelineErrorCode } from './errors.ts'
export { type ImageOptions, readImage } from './image/read-image.ts'
export { type OpenModel, type OpenModelOptions, openModel } from './model-part.ts'
export type { Prediction } from './prediction.ts'

/** The names of the models that are known without a file. */
export const catalogNames: readonly string[] = [...catalog.keys()]

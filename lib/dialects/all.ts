import type { Dialect } from '../http/dialect.ts'
import type { Service } from '../service.ts'
import { deeplearningFlask } from './deeplearning-flask.ts'
import { imageClassifier } from './image-classifier.ts'
import { imgPipeline } from './img-pipeline.ts'
import { visionService } from './vision-service.ts'

/** The older services whose clients are served, except tornado-compute: its dialect is in routes/model.ts. */
export const DIALECTS: readonly Dialect<Service>[] = [
  visionService,
  imgPipeline,
  deeplearningFlask,
  imageClassifier,
]

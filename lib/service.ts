import type { Config } from './config/config.ts'
import type { DialectModels } from './dialects/dialect-models.ts'
import type { Feedback } from './feedback/feedback.ts'
import type { Served } from './http/operation.ts'
import type { RecentImages } from './image/recent-images.ts'
import type { Images } from './image/request-image.ts'
import type { Classifier } from './models/classifier.ts'
import type { Predictor } from './models/predictor.ts'
import type { RecentPredictions } from './models/recent-predictions.ts'

/** What the routes are made of: each takes what it needs. */
export interface RouteParts extends Served {
  readonly config: Config
  readonly classifier: Classifier
  readonly images: Images
  readonly predictor: Predictor
  readonly models: DialectModels
  readonly recentImages: RecentImages
  readonly recentPredictions: RecentPredictions
  readonly feedback: Feedback
}

import type { Classifier } from '../classifier.ts'
import type { Config } from '../config.ts'
import type { DialectModels } from '../dialect-models.ts'
import type { Feedback } from '../feedback.ts'
import type { Images } from '../images.ts'
import type { Served } from '../operation.ts'
import type { Predictor } from '../predict-image.ts'
import type { RecentImages } from '../recent-images.ts'
import type { RecentPredictions } from '../recent-predictions.ts'

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

import { RecentMap } from '../cache/recent-map.ts'
import { type PredictionFacts, type RecalledPrediction, readReportId, writeReportId } from './report-id.ts'

export interface RecentPredictions {
  /** Returns the id under which the answer can be reported. */
  remember(requestId: string, facts: PredictionFacts): string
  recall(id: string): RecalledPrediction | undefined
}

export interface RecentPredictionsOptions {
  /** with keys, the id itself holds the facts, signed: any web host that has the key accepts a report */
  readonly signingKeys?: readonly string[]
  readonly ttlMs?: number
}

/** About 5 MB in all. */
const MAX_ENTRIES = 10_000
const HOUR_MS = 3_600_000

/** The recent answers by id, so that a report records the real answer and not the claim of its sender. */
export function createRecentPredictions({
  signingKeys = [],
  ttlMs = HOUR_MS,
}: RecentPredictionsOptions = {}): RecentPredictions {
  const recent = new RecentMap<RecalledPrediction>({ max: MAX_ENTRIES, ttlMs })
  const [key] = signingKeys
  return {
    remember(requestId, facts) {
      const prediction = { requestId, ...facts }
      // The first entry stays: clients may choose request ids, and must not overwrite the answers of other clients.
      if (!recent.has(requestId)) recent.set(requestId, prediction)
      return key === undefined ? requestId : writeReportId(prediction, key, Date.now() + ttlMs)
    },
    recall: (id) => recent.get(id) ?? readReportId(id, signingKeys, Date.now()),
  }
}

import { LRUCache } from 'lru-cache'

/** The facts about an answer that a report records. */
export interface PredictionFacts {
  readonly sha256: string
  readonly model: string
  readonly version: string
  readonly prediction: string
  readonly score: number
}

export interface RecentPredictions {
  remember(requestId: string, facts: PredictionFacts): void
  recall(requestId: string): PredictionFacts | undefined
}

/** About 5 MB in all. */
const MAX_ENTRIES = 10_000
const HOUR_MS = 3_600_000

/** The recent answers by request id, so that a report records the real answer and not the claim of its sender. */
export function createRecentPredictions(ttlMs = HOUR_MS): RecentPredictions {
  const recent = new LRUCache<string, PredictionFacts>({ max: MAX_ENTRIES, ttl: ttlMs })
  return {
    // The first entry stays: clients may choose request ids, and must not overwrite the answers of other clients.
    remember(requestId, facts) {
      if (!recent.has(requestId)) recent.set(requestId, facts)
    },
    recall: (requestId) => recent.get(requestId),
  }
}

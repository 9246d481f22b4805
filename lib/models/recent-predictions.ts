import { LRUCache } from 'lru-cache'

/** What was answered, as far as a report about it records it. */
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

/** Some 5 MB. */
const MAX_ENTRIES = 10_000
const HOUR_MS = 3_600_000

/** The answers of late, under their request ids: a report then records what was said, not what its sender claims. */
export function createRecentPredictions(ttlMs = HOUR_MS): RecentPredictions {
  const recent = new LRUCache<string, PredictionFacts>({ max: MAX_ENTRIES, ttl: ttlMs })
  return {
    // The first stays: a client may choose its ids, and must not put its own facts into the place of another's.
    remember(requestId, facts) {
      if (!recent.has(requestId)) recent.set(requestId, facts)
    },
    recall: (requestId) => recent.get(requestId),
  }
}

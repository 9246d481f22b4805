// Longer than any single hiccup that is to be measured, shorter than a caller would notice.
const BURN_MS = 100

/** Keeps its thread busy without a pause, as a model does that computes on the CPU. */
export function makePipeline() {
  return {
    predict(batch: unknown[]) {
      const end = performance.now() + BURN_MS
      while (performance.now() < end);
      return batch.map(() => 'burnt')
    },
  }
}

// Longer than any delay that is to be measured, shorter than a caller would notice.
const BURN_MS = 100

/** Keeps the event loop of the child busy without a pause, like a model on the CPU. */
export function makePipeline() {
  return {
    predict(batch: unknown[]) {
      const end = performance.now() + BURN_MS
      while (performance.now() < end);
      return batch.map(() => 'burnt')
    },
  }
}

/** The least that a pipeline can do. */
export function makePipeline() {
  return { predict: (batch: unknown[]) => batch }
}

/** Later than the start of the models, which needs the processor. */
const AFTER_MS = 3000

/**
 * Loads packages that only the first form and the first image URL need. Each takes tens of milliseconds and blocks the event
 * loop meanwhile, which hurts less now than during requests.
 */
export function preload(): void {
  setTimeout(() => {
    // If a package cannot be loaded, the first request that needs the package reports the error.
    Promise.all([import('koa-body'), import('undici')]).catch(() => {})
  }, AFTER_MS).unref()
}

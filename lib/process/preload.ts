/** Behind the start of the models, with which it would compete. */
const AFTER_MS = 3000

/**
 * What is not needed to listen, but by the first form and the first address: each takes tens of milliseconds to load, in
 * which nobody is answered, and which nobody notices soon after the start.
 */
export function preload(): void {
  setTimeout(() => {
    // Where one of them cannot be loaded, the request that needs it says so.
    Promise.all([import('koa-body'), import('undici')]).catch(() => {})
  }, AFTER_MS).unref()
}

/**
 * What is not needed to listen, but by the first form and the first address: each takes tens of milliseconds to load, in
 * which nobody is answered, and which nobody notices right after the start.
 */
export async function preload(): Promise<void> {
  await import('koa-body')
  await import('undici')
}

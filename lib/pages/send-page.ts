import { RecentMap } from '../cache/recent-map.ts'
import type { Context } from '../http/context.ts'
import { hashOf, sendOnce, TaggedBytes } from '../http/tagged-bytes.ts'

/** Most visits ask for a page that was sent before, byte for byte. 32 pages are enough for a dozen models. */
const MAX_KEPT = 32

const kept = new RecentMap<TaggedBytes>({ max: MAX_KEPT })

/**
 * Answers with a page, compressed off the main thread. The answer to a GET is compressed once for as long as the page
 * stays the same, and a browser that has the page gets a 304.
 */
export async function sendPage(ctx: Context, page: string): Promise<void> {
  const bytes = Buffer.from(page)
  if (ctx.method === 'POST' || ctx.response.get('Cache-Control') === 'no-store') {
    return sendOnce(ctx, 'html', bytes)
  }
  const hash = hashOf(bytes)
  const tagged = kept.get(hash) ?? new TaggedBytes(bytes, true, hash)
  kept.set(hash, tagged)
  await tagged.send(ctx, 'html')
}

import { LRUCache } from 'lru-cache'
import type { Context } from '../http/context.ts'
import { hashOf, sendOnce, TaggedBytes } from '../http/tagged-bytes.ts'

/** Most visits are to pages that were sent before, byte for byte: a dozen models, as they are now. */
const MAX_KEPT = 32

const kept = new LRUCache<string, TaggedBytes>({ max: MAX_KEPT })

/**
 * Makes a page the answer, compressed outside of the main thread. One that is asked for with GET is compressed once for
 * as long as it stays the same, and is not sent again to a browser that has it.
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

import { createHash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Context } from '../http/context.ts'
import { Encoded } from '../http/tagged-bytes.ts'

/** Most visits are to pages that were sent before, byte for byte: a dozen models, as they are now. */
const MAX_KEPT = 32

const kept = new LRUCache<string, Encoded>({ max: MAX_KEPT })

/**
 * Makes a page the answer, compressed outside of the main thread. One that is asked for with GET is compressed once for
 * as long as it stays the same, and is not sent again to a browser that has it.
 */
export async function sendPage(ctx: Context, page: string): Promise<void> {
  const bytes = Buffer.from(page)
  ctx.status = 200
  if (ctx.method === 'POST' || ctx.response.get('Cache-Control') === 'no-store') {
    await new Encoded(bytes).send(ctx)
    ctx.type = 'html'
    return
  }
  const hash = createHash('sha256').update(bytes).digest('base64url').slice(0, 22)
  const encoded = kept.get(hash) ?? new Encoded(bytes)
  kept.set(hash, encoded)
  // Weak, as it is the same in every coding.
  ctx.set('ETag', `W/"${hash}"`)
  ctx.vary('Accept-Encoding')
  if (ctx.fresh) {
    ctx.status = 304
    return
  }
  await encoded.send(ctx)
  ctx.type = 'html'
}

import { createHash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { z } from 'zod'
import { OWN } from '../dialects/all.ts'
import { NoQuery, type Operation, serve } from '../http/operation.ts'
import { ownAddress } from '../http/own-address.ts'
import { Encoded } from '../http/tagged-bytes.ts'
import { docsPage } from '../pages/docs-page.ts'
import { html } from '../pages/html.ts'
import type { RouteParts } from '../service.ts'
import { apiDocument } from './openapi.ts'

const GROUP = 'Documentation'
const MAX_ORIGINS = 4
/** stands in examples for where the reader has the page from */
const ORIGIN = '$URL'

const openapi = {
  method: 'get',
  paths: ['/openapi.json'],
  group: GROUP,
  summary: 'This description',
  query: NoQuery,
  answers: {
    200: { means: 'OpenAPI 3.1.', content: { 'application/json': z.looseObject({ openapi: z.string() }) } },
  },
  errors: [],
  dialect: OWN,
} as const satisfies Operation

const docs = {
  method: 'get',
  paths: ['/docs'],
  group: GROUP,
  summary: 'The same as a page',
  query: NoQuery,
  answers: { 200: { means: 'The page.', content: { 'text/html': 'A page.' } } },
  errors: [],
  dialect: OWN,
} as const satisfies Operation

/** Registered last, they describe all that was registered before, and themselves. */
export function documentRoutes(parts: RouteParts, version: string): void {
  const { operations } = parts
  const made = lazy(() => {
    const text = JSON.stringify(apiDocument(operations, parts.classifier.models, version))
    // Weak, as it is the same in every coding.
    const etag = `W/"${createHash('sha256').update(text).digest('base64url')}"`
    return { encoded: new Encoded(Buffer.from(text)), etag }
  })
  serve(parts, openapi, async (ctx) => {
    const { encoded, etag } = made()
    ctx.etag = etag
    ctx.status = 200
    if (ctx.fresh) {
      ctx.status = 304
      return
    }
    await encoded.send(ctx)
    ctx.type = 'json'
  })
  const template = lazy(() => docsPage(operations, ORIGIN))
  // An origin is what a client says it is, so that there is no end of them.
  const pages = new LRUCache<string, Encoded>({ max: MAX_ORIGINS })
  serve(parts, docs, async (ctx) => {
    const origin = ownAddress(ctx)
    const page = pages.get(origin) ?? new Encoded(Buffer.from(withOrigin(template(), origin)))
    pages.set(origin, page)
    ctx.status = 200
    ctx.set('Cache-Control', 'no-cache')
    await page.send(ctx)
    ctx.type = 'html'
  })
}

function withOrigin(page: string, origin: string): string {
  const text = html`${origin}`.toString()
  return page.replaceAll(ORIGIN, () => text)
}

function lazy<Value>(make: () => Value): () => Value {
  let made: { value: Value } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}

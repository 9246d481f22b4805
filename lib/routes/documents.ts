import { LRUCache } from 'lru-cache'
import { z } from 'zod'
import { OWN_ERROR } from '../http/dialect.ts'
import { NoQuery, type Operation, serve } from '../http/operation.ts'
import { ownAddress } from '../http/own-address.ts'
import { TaggedBytes } from '../http/tagged-bytes.ts'
import { docsPage } from '../pages/docs-page.ts'
import { html } from '../pages/html.ts'
import type { Service } from '../service.ts'
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
  errorShape: OWN_ERROR,
} as const satisfies Operation

const docs = {
  method: 'get',
  paths: ['/docs'],
  group: GROUP,
  summary: 'The same as a page',
  query: NoQuery,
  answers: { 200: { means: 'The page.', content: { 'text/html': 'A page.' } } },
  errors: [],
  errorShape: OWN_ERROR,
} as const satisfies Operation

/** They describe all that is registered, themselves too, when they are first asked for. */
export function documentRoutes(service: Service): void {
  const { classifier, operations, site } = service
  const made = lazy(() => {
    const text = JSON.stringify(apiDocument(operations, classifier.models, site.version))
    return new TaggedBytes(Buffer.from(text))
  })
  serve(service, openapi, (ctx) => made().send(ctx, 'json'))
  const template = lazy(() => docsPage(site, operations, ORIGIN))
  // An origin is what a client says it is, so that there is no end of them.
  const pages = new LRUCache<string, TaggedBytes>({ max: MAX_ORIGINS })
  serve(service, docs, async (ctx) => {
    const origin = ownAddress(ctx)
    const page = pages.get(origin) ?? new TaggedBytes(Buffer.from(withOrigin(template(), origin)))
    pages.set(origin, page)
    ctx.set('Cache-Control', 'no-cache')
    await page.send(ctx, 'html')
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

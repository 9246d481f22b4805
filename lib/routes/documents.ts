import { z } from 'zod'
import { RecentMap } from '../cache/recent-map.ts'
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
/** placeholder in the examples for the address of the service */
const ORIGIN = '$URL'

const openapi = {
  method: 'get',
  paths: ['/openapi.json'],
  group: GROUP,
  summary: 'This description of the API',
  query: NoQuery,
  answers: {
    200: {
      means: 'An OpenAPI 3.1 document.',
      content: { 'application/json': z.looseObject({ openapi: z.string() }) },
    },
  },
  errors: [],
  errorShape: OWN_ERROR,
} as const satisfies Operation

const docs = {
  method: 'get',
  paths: ['/docs'],
  group: GROUP,
  summary: 'The description of the API as a page',
  query: NoQuery,
  answers: { 200: { means: 'The page.', content: { 'text/html': 'A page.' } } },
  errors: [],
  errorShape: OWN_ERROR,
} as const satisfies Operation

/** Both documents are made at the first request, so that they describe all registered routes, including their own. */
export function documentRoutes(service: Service): void {
  const { classifier, operations, site } = service
  const made = lazy(() => {
    const text = JSON.stringify(apiDocument(operations, classifier.models, site.version))
    return new TaggedBytes(Buffer.from(text))
  })
  serve(service, openapi, (ctx) => made().send(ctx, 'json'))
  const template = lazy(() => docsPage(site, operations, ORIGIN))
  // A client can send any Host header, so the number of kept pages must be bounded.
  const pages = new RecentMap<TaggedBytes>({ max: MAX_ORIGINS })
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

import { z } from 'zod'
import type { Api } from '../api.ts'
import { RecentMap } from '../cache/recent-map.ts'
import { VERSION } from '../config/version.ts'
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

/** The document is made at the first request, so that it describes all registered routes, including its own. */
export function openapiRoutes(api: Api): void {
  const { classifier, operations } = api
  const made = lazy(() => {
    const text = JSON.stringify(apiDocument(operations, classifier.models, VERSION))
    return new TaggedBytes(Buffer.from(text))
  })
  serve(api, openapi, (ctx) => made().send(ctx, 'json'))
}

/** The page is made at the first request, too. */
export function docsRoutes(service: Service): void {
  const { operations, site } = service
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

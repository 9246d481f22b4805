import { createHash } from 'node:crypto'
import { z } from 'zod'
import { OWN } from '../dialects.ts'
import { apiDocument } from '../openapi.ts'
import { NoQuery, type Operation, serve } from '../operation.ts'
import { docsPage } from '../pages/docs-page.ts'
import type { RouteParts } from './parts.ts'

const GROUP = 'Documentation'

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
    const text = JSON.stringify(apiDocument(operations, version))
    return { text, etag: createHash('sha256').update(text).digest('base64url') }
  })
  serve(parts, openapi, (ctx) => {
    ctx.type = 'json'
    ctx.etag = made().etag
    ctx.status = 200
    if (ctx.fresh) ctx.status = 304
    else ctx.body = made().text
  })
  serve(parts, docs, (ctx) => {
    ctx.type = 'html'
    ctx.body = docsPage(operations, ctx.origin)
  })
}

function lazy<Value>(make: () => Value): () => Value {
  let made: { value: Value } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}

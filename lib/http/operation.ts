import type { Router, RouterContext } from '@koa/router'
import { z } from 'zod'
import type { RequestState } from './context.ts'
import type { ErrorShape } from './dialect.ts'
import { HttpError } from './errors.ts'
import { queryOf } from './query.ts'
import { type Source, schemaSentence } from './schema-sentence.ts'

/** The content of a body by media type: a schema, or a string that describes bytes. */
export type Content = Readonly<Record<string, z.ZodType | string>>

/** One operation of the API. The same schemas document the operation and validate the input of its handler. */
export interface Operation<Query extends z.ZodType = z.ZodType> {
  readonly method: 'get' | 'post'
  readonly paths: readonly string[]
  readonly group: string
  readonly summary: string
  readonly query: Query
  readonly body?: Content
  /** by status: the meaning and the content of the answer */
  readonly answers: Readonly<Record<number, { readonly means: string; readonly content?: Content }>>
  readonly errors: readonly number[]
  readonly errorShape: ErrorShape
  /** an example command; `$URL` stands for the address of the service */
  readonly example?: string
}

export type Handler<Query> = (ctx: RouterContext<RequestState>, query: Query) => Promise<void> | void

export interface Served {
  readonly router: Router<RequestState>
  /** all registered operations, for /openapi.json */
  readonly operations: Operation[]
}

export function serve<Query extends z.ZodType>(
  { router, operations }: Served,
  operation: Operation<Query>,
  handler: Handler<z.output<Query>>,
): void {
  operations.push(operation)
  router[operation.method]([...operation.paths], (ctx) =>
    handler(ctx, parseWith(operation.query, queryOf(ctx), 'query')),
  )
}

/** Parses a value from outside by its schema. Throws one sentence about the first part that is wrong. */
export function parseWith<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  source: Source,
): z.output<Schema> {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const path = parsed.error.issues[0]?.path ?? []
  throw new HttpError('ERR_BAD_REQUEST', schemaSentence(schema, value, path, source))
}

/** For routes that ignore the query. */
export const NoQuery = z.object({})

import type { Router, RouterContext } from '@koa/router'
import { z } from 'zod'
import type { RequestState } from './context.ts'
import type { ErrorShape } from './dialect.ts'
import { HttpError } from './errors.ts'
import { queryOf } from './query.ts'
import { type Source, schemaSentence } from './schema-sentence.ts'

/** What a body may look like: a schema per media type; a string describes bytes. */
export type Content = Readonly<Record<string, z.ZodType | string>>

/** One thing that can be asked for: what its handler is given is validated by the same schemas that document it. */
export interface Operation<Query extends z.ZodType = z.ZodType> {
  readonly method: 'get' | 'post'
  readonly paths: readonly string[]
  readonly group: string
  readonly summary: string
  readonly query: Query
  readonly body?: Content
  /** status → what it means, and what comes */
  readonly answers: Readonly<Record<number, { readonly means: string; readonly content?: Content }>>
  readonly errors: readonly number[]
  readonly errorShape: ErrorShape
  /** a command that shows it; `$URL` stands for the address of the service */
  readonly example?: string
}

export type Handler<Query> = (ctx: RouterContext<RequestState>, query: Query) => Promise<void> | void

export interface Served {
  readonly router: Router<RequestState>
  /** everything that has been registered, for /openapi.json */
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

/** A value from outside as its schema has it, or an error with one sentence about the first thing that is wrong. */
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

/** For routes that look at no query. */
export const NoQuery = z.object({})

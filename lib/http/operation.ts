import type { Router, RouterContext } from '@koa/router'
import { z } from 'zod'
import type { RequestState } from './context.ts'
import type { ErrorShape } from './dialect.ts'
import { HttpError } from './errors.ts'
import { queryOf } from './query.ts'

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

/** Something from outside, as its schema has it, or a sentence about the first thing that is wrong with it. */
export function parseWith<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  where: string,
): z.output<Schema> {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const what = [where, ...(issue?.path ?? [])].join('.')
  throw new HttpError('ERR_BAD_REQUEST', `The ${what} is wrong: ${issue?.message ?? 'it does not fit'}.`)
}

/** For routes that look at no query. */
export const NoQuery = z.object({})

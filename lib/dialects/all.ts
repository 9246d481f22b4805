import type { z } from 'zod'
import type { Context } from '../http/context.ts'
import type { describeError } from '../http/errors.ts'
import { DigitsError, ErrorAnswer, InferError, PredictError, VisionError } from './schemas.ts'

type Description = ReturnType<typeof describeError>

/** How the clients of one of the older services expect to be told that something went wrong. */
export interface Dialect {
  readonly error: z.ZodType
  body(description: Description, ctx: Context): unknown
  /** for clients that know one status for all that is wrong with an image */
  status?(description: Description): number
}

/** What Tandem says by itself; a browser gets a page instead. */
export const OWN: Dialect = {
  error: ErrorAnswer,
  body: ({ code, message }, ctx) => ({ error: { code, message, requestId: ctx.state.requestId } }),
}

export const VISION: Dialect = {
  error: VisionError,
  body: ({ message }, ctx) => ({ success: false, message, url: ctx.href }),
}

export const INFER: Dialect = {
  error: InferError,
  body: ({ code, message }) => ({ Error: message, code }),
}

export const DIGITS: Dialect = {
  error: DigitsError,
  body: () => ({ success: false }),
}

export const PREDICT: Dialect = {
  error: PredictError,
  body: () => ({ prediction: null, score: null, success: false }),
  status: ({ code, status }) => (/^ERR_(IMAGE|INPUT|URL)_|^ERR_UNSUPPORTED_MEDIA$/.test(code) ? 400 : status),
}

const PATHS: readonly (readonly [RegExp, Dialect])[] = [
  [/^\/(api\/)?predictlabel\/?$/i, DIGITS],
  [/^\/api\/infer\/?$/i, INFER],
  [/^\/api(\/|$)/i, VISION],
  [/^\/predict\/?$/i, PREDICT],
]

/** The dialect that is spoken under a path, also where nothing is served. */
export function dialectOf(path: string): Dialect {
  const [, dialect = OWN] = PATHS.find(([pattern]) => pattern.test(path)) ?? []
  return dialect
}

import { isPermanent } from '../../broker/error-wire.ts'
import type { BrokerErrorCode } from '../../broker/errors.ts'

interface Row {
  readonly status: number
  /** whether the client gets code and message; if not, the client gets ERR_INTERNAL */
  readonly expose: boolean
  /** seconds for the Retry-After header; only if a retry of the same request can succeed */
  readonly retryAfter?: number
  /** the connection is closed after the answer, because the rest of the body is not read */
  readonly closes?: true
}

type WebErrorCode =
  | 'ERR_BAD_REQUEST'
  | 'ERR_BODY_TIMEOUT'
  | 'ERR_BODY_TOO_LARGE'
  | 'ERR_BODY_USED'
  | 'ERR_CROSS_SITE'
  | 'ERR_FEEDBACK_EMPTY'
  | 'ERR_FEEDBACK_FULL'
  | 'ERR_FEEDBACK_UNWRITABLE'
  | 'ERR_HOST'
  | 'ERR_INPUT_AMBIGUOUS'
  | 'ERR_INPUT_MISSING'
  | 'ERR_METHOD_NOT_ALLOWED'
  | 'ERR_MODEL_ANSWER'
  | 'ERR_MODEL_KIND'
  | 'ERR_MODEL_NONE'
  | 'ERR_MODEL_UNKNOWN'
  | 'ERR_NOT_ACCEPTABLE'
  | 'ERR_NOT_FOUND'
  | 'ERR_RATE_LIMIT'
  | 'ERR_TOO_MANY_IMAGES'
  | 'ERR_UNAUTHORIZED'
  | 'ERR_UNSUPPORTED_MEDIA'
  | 'ERR_URL_FETCH'
  | 'ERR_URL_INVALID'
  | 'ERR_URL_STATUS'
  | 'ERR_URL_TIMEOUT'
  | 'ERR_URL_TOO_LARGE'

/** Codes that a pipeline may use for errors of its input. */
type ImageErrorCode = 'ERR_IMAGE_COST' | 'ERR_IMAGE_DECODE' | 'ERR_IMAGE_TOO_LARGE' | 'ERR_IMAGE_TYPE'

type Code = WebErrorCode | BrokerErrorCode | ImageErrorCode

const HIDDEN: Row = { status: 500, expose: false }

/** All known codes; any other code is answered as HIDDEN. docs/errors.md says what each code means. */
export const ERRORS: Readonly<Record<Code, Row>> = {
  ERR_BAD_REQUEST: { status: 400, expose: true },
  ERR_BODY_TIMEOUT: { status: 408, expose: true, closes: true },
  ERR_BODY_TOO_LARGE: { status: 413, expose: true, closes: true },
  // A mistake of the program around Tandem, whose author reads the answer while trying it.
  ERR_BODY_USED: { status: 500, expose: true },
  ERR_CROSS_SITE: { status: 403, expose: true, closes: true },
  ERR_FEEDBACK_EMPTY: { status: 400, expose: true },
  ERR_FEEDBACK_FULL: { status: 507, expose: true },
  ERR_FEEDBACK_UNWRITABLE: { status: 507, expose: true },
  ERR_HOST: { status: 421, expose: true, closes: true },
  ERR_INPUT_AMBIGUOUS: { status: 400, expose: true },
  ERR_INPUT_MISSING: { status: 400, expose: true },
  ERR_METHOD_NOT_ALLOWED: { status: 405, expose: true },
  ERR_MODEL_UNKNOWN: { status: 404, expose: true },
  ERR_MODEL_ANSWER: { status: 500, expose: true },
  // The first model with features is known to have some, so the client has chosen the model.
  ERR_MODEL_KIND: { status: 400, expose: true },
  // No Retry-After: a retry helps only after the settings have changed.
  ERR_MODEL_NONE: { status: 503, expose: true },
  ERR_NOT_ACCEPTABLE: { status: 406, expose: true },
  ERR_NOT_FOUND: { status: 404, expose: true },
  // No retryAfter here: the rate limiter computes Retry-After for each client.
  ERR_RATE_LIMIT: { status: 429, expose: true, closes: true },
  ERR_TOO_MANY_IMAGES: { status: 413, expose: true },
  ERR_UNAUTHORIZED: { status: 401, expose: true, closes: true },
  ERR_UNSUPPORTED_MEDIA: { status: 415, expose: true },
  // Forbidden, unreachable and closed addresses get the same code and message, so that a client cannot map a network.
  ERR_URL_FETCH: { status: 422, expose: true },
  ERR_URL_INVALID: { status: 400, expose: true },
  ERR_URL_STATUS: { status: 422, expose: true },
  ERR_URL_TIMEOUT: { status: 422, expose: true },
  ERR_URL_TOO_LARGE: { status: 413, expose: true },

  ERR_IMAGE_COST: { status: 422, expose: true },
  ERR_IMAGE_DECODE: { status: 422, expose: true },
  ERR_IMAGE_TOO_LARGE: { status: 413, expose: true },
  ERR_IMAGE_TYPE: { status: 415, expose: true },

  // For the log only, because the client has gone. nginx logs the same status for a closed connection.
  ERR_ABORTED: { status: 499, expose: true },
  // The child died twice during this call, the second time with no other call in flight, so the input is the likely
  // cause. A 503 with Retry-After would invite the client to kill the next child too, so the status is 502.
  ERR_CHILD_EXIT: { status: 502, expose: true },
  // The child was ended over this call, which would cost the next child as much.
  ERR_COST: { status: 422, expose: true },
  ERR_CLOSED: { status: 503, expose: true, retryAfter: 1 },
  ERR_DEADLINE: { status: 504, expose: true },
  ERR_NOT_READY: { status: 503, expose: true, retryAfter: 10 },
  ERR_QUEUE_FULL: { status: 503, expose: true, retryAfter: 1 },
  ERR_TOO_LARGE: { status: 413, expose: true },
  ERR_UNKNOWN_METHOD: { status: 404, expose: true },
  ERR_NOT_CLONEABLE: HIDDEN,
  ERR_OPTION: HIDDEN,
  ERR_PIPELINE: HIDDEN,
  ERR_PROTOCOL: HIDDEN,
}

/** An error that the web process raises itself. */
export class HttpError extends Error {
  readonly code: WebErrorCode | 'ERR_ABORTED' | 'ERR_IMAGE_COST' | 'ERR_NOT_READY' | 'ERR_QUEUE_FULL'
  readonly headers: Readonly<Record<string, string>>

  constructor(
    code: HttpError['code'],
    message: string,
    headers: Readonly<Record<string, string>> = {},
    options?: ErrorOptions,
  ) {
    super(message, options)
    this.name = 'HttpError'
    this.code = code
    this.headers = headers
  }
}

export function unknownModel(name: string): HttpError {
  return new HttpError(
    'ERR_MODEL_UNKNOWN',
    `No model called "${name}" is served; GET /models lists the served models.`,
  )
}

/** What the client is told about an error. */
export type ErrorDescription = Row & { readonly code: string; readonly message: string }

/** An error as a page shows it. */
export interface ShownError {
  readonly status: number
  readonly code: string
  readonly message: string
  readonly requestId: string
}

/** Turns any thrown value into what the client is told. */
export function describeError(error: unknown): ErrorDescription {
  const code = codeOf(error)
  const row = code !== undefined && Object.hasOwn(ERRORS, code) ? ERRORS[code as Code] : HIDDEN
  if (!row.expose || !(error instanceof Error)) {
    return {
      ...row,
      code: 'ERR_INTERNAL',
      message: 'An internal error occurred; the log has the details under this request id.',
    }
  }
  const { retryAfter, ...rest } = row
  return {
    ...rest,
    // A retry cannot succeed before the user has changed a file of the model.
    ...(retryAfter !== undefined && !isPermanent(error.cause) && { retryAfter }),
    code: code ?? 'ERR_INTERNAL',
    message: error.message,
  }
}

function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

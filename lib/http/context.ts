import type { Middleware as KoaMiddleware, ParameterizedContext } from 'koa'
import type { ShownError } from './errors.ts'

/** What each middleware leaves on `ctx.state` for later middleware and for routes. */
export interface RequestState {
  /** from middleware/request-id */
  requestId: string
  /** from middleware/request-target; empty if the request line has no readable path */
  path: string
  /** from middleware/require-key: the index of the request's key in API_KEYS; absent without a valid key */
  key?: number
  /** from middleware/client-gone: aborted when the client leaves before the answer is written */
  gone: AbortSignal
  /** from a route with a form: renders an error on the page of the form, for browsers */
  errorPage?: (error: ShownError) => string
}

export type Context = ParameterizedContext<RequestState>
export type Middleware = KoaMiddleware<RequestState>

/** State that only the signal handler (drain.ts) writes, and routes read. */
export interface ServiceState {
  draining: boolean
}

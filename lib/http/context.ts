import type { Middleware as KoaMiddleware, ParameterizedContext } from 'koa'
import type { ShownError } from './errors.ts'

/** What the middleware leave on `ctx.state` for those below them. */
export interface RequestState {
  /** from middleware/request-id */
  requestId: string
  /** from middleware/request-target; empty when the request line has none that can be read */
  path: string
  /** from middleware/require-key: which of the API_KEYS came with the request; absent when none that is right did */
  key?: number
  /** from middleware/client-gone: fires when the client leaves before its answer is written */
  gone: AbortSignal
  /** from a route with a form of its own: a browser is shown what went wrong on that page */
  errorPage?: (error: ShownError) => string
}

export type Context = ParameterizedContext<RequestState>
export type Middleware = KoaMiddleware<RequestState>

/** What the signal handler tells the routes: one object, written in one place (drain.ts). */
export interface ServiceState {
  draining: boolean
}

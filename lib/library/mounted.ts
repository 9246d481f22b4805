import type { IncomingMessage, ServerResponse } from 'node:http'
import type Koa from 'koa'
import { ConfigError } from '../config/config.ts'
import type { Context, RequestState } from '../http/context.ts'

export interface MountOptions {
  /**
   * The path that Tandem's paths begin with, such as "/ai". Everything below a prefix is answered. Without a prefix, a path
   * that Tandem does not serve goes on to the next middleware.
   */
  readonly prefix?: string | undefined
}

/** A listener for node:http, and a middleware for Express. */
export type HttpHandler = (
  request: IncomingMessage,
  response: ServerResponse,
  next?: (error?: unknown) => void,
) => void

/** What Tandem needs of the context of Koa, so that the versions of Koa need not agree. */
export interface KoaContext {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  status: number
  body: unknown
}

export type KoaMiddleware = (ctx: KoaContext, next: () => Promise<unknown>) => Promise<void>

export interface Mounted {
  readonly app: Koa<RequestState>
  /** whether there is a route for this path, whatever the method */
  serves(path: string): boolean
}

export function httpHandler(mounted: Mounted, { prefix = '' }: MountOptions): HttpHandler {
  const placed = placedAt(prefix, mounted)
  const answer = mounted.app.callback()
  return (request, response, next) => {
    const url = placed(request)
    if (url === undefined && next !== undefined) return next()
    // Without a next middleware, there is nothing else that could answer.
    request.url = url ?? request.url ?? '/'
    void answer(request, response)
  }
}

/** The middleware around this one see the status and the body, and may still change them. */
export function koaMiddleware(mounted: Mounted, { prefix = '' }: MountOptions): KoaMiddleware {
  const placed = placedAt(prefix, mounted)
  const { app } = mounted
  return async (ctx, next) => {
    const { req, res } = ctx
    const given = req.url ?? '/'
    const url = placed(req)
    if (url === undefined) {
      await next()
      return
    }
    req.url = url
    try {
      const own = app.createContext<RequestState>(req, res)
      await run(app, own)
      ctx.status = own.status
      if (own.body !== undefined && own.body !== null) ctx.body = own.body
    } finally {
      req.url = given
    }
  }
}

function run({ middleware }: Koa<RequestState>, ctx: Context): Promise<unknown> {
  const step = async (at: number): Promise<unknown> => middleware[at]?.(ctx as never, () => step(at + 1))
  return step(0)
}

/** Gives the address of a request without the prefix; undefined for a request that others answer. */
function placedAt(prefix: string, { serves }: Mounted): (request: IncomingMessage) => string | undefined {
  const base = typeof prefix === 'string' ? prefix.replace(/\/+$/, '') : undefined
  if (base === undefined || !/^(\/[^/?#]+)*$/.test(base)) {
    throw new ConfigError(`prefix must be a path such as "/ai", but is "${prefix}".`)
  }
  return ({ url = '/' }) => {
    if (base === '') return serves(url.replace(/[?#].*$/s, '')) ? url : undefined
    const rest = url.slice(base.length)
    if (!url.startsWith(base) || !/^([/?]|$)/.test(rest)) return undefined
    return rest.startsWith('/') ? rest : `/${rest}`
  }
}

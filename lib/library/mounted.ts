import type { IncomingMessage, ServerResponse } from 'node:http'
import type Koa from 'koa'
import { ConfigError } from '../config/config.ts'
import type { Context, RequestState } from '../http/context.ts'
import { newRequestId } from '../middleware/request-id.ts'
import type { HttpHandler, KoaMiddleware, MountOptions } from './mount-options.ts'

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
    if (url !== undefined) {
      request.url = url
      void answer(request, response)
    } else if (next !== undefined) next()
    else answerNotFound(request, response)
  }
}

/** Outside of the prefix, or of the routes, and without a next middleware that could answer. */
function answerNotFound({ url }: IncomingMessage, response: ServerResponse): void {
  const code = 'ERR_NOT_FOUND'
  const requestId = newRequestId()
  const error = { code, message: `Nothing is served at ${url?.replace(/[?#].*$/s, '')}.`, requestId }
  const headers = { 'Content-Type': 'application/json', 'X-Request-Id': requestId, 'X-Error-Code': code }
  response.writeHead(404, headers).end(JSON.stringify({ error }))
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

import type { IncomingMessage, ServerResponse } from 'node:http'

export type NodeHandler = (request: IncomingMessage, response: ServerResponse) => void

export interface MountOptions {
  /** The path that Tandem's paths begin with, such as "/ai". Then there is only the API: the pages have no prefix. */
  readonly prefix?: string
}

/** What Tandem needs of the context of Koa. */
export interface KoaContext {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  respond?: boolean
}

export type KoaMiddleware = (ctx: KoaContext, next: () => Promise<unknown>) => Promise<void>

/** Answers requests below the prefix, and passes all others on. */
export function koaMiddleware(handler: NodeHandler, { prefix = '' }: MountOptions): KoaMiddleware {
  return async (ctx, next) => {
    if (!isBelow(ctx.req, prefix)) return void (await next())
    ctx.respond = false
    // The middleware around this one may do their work after the answer.
    await answered(handler, ctx.req, ctx.res, prefix)
  }
}

/** A listener for node:http, which Express accepts too. A request that is not below the prefix goes on to `next`, if there is one. */
export function nodeHandler(handler: NodeHandler, { prefix = '' }: MountOptions) {
  return (request: IncomingMessage, response: ServerResponse, next?: () => void): void => {
    const isOwn = isBelow(request, prefix)
    if (next !== undefined && !isOwn) next()
    else void answered(handler, request, response, isOwn ? prefix : '')
  }
}

function isBelow({ url = '/' }: IncomingMessage, prefix: string): boolean {
  return url.startsWith(prefix) && (prefix === '' || /^([/?]|$)/.test(url.slice(prefix.length)))
}

function answered(
  handler: NodeHandler,
  request: IncomingMessage,
  response: ServerResponse,
  prefix: string,
): Promise<void> {
  if (prefix !== '') {
    const rest = (request.url ?? '/').slice(prefix.length)
    request.url = rest.startsWith('/') ? rest : `/${rest}`
    // The links of a page would point outside of the prefix.
    if (/text\/html|^$/.test(request.headers.accept ?? '')) request.headers.accept = 'application/json'
  }
  return new Promise((resolve) => {
    response.once('close', resolve)
    handler(request, response)
  })
}

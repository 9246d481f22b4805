import type { IncomingMessage, ServerResponse } from 'node:http'

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

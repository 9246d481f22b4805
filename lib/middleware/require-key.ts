import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Context, Middleware } from '../http/context.ts'
import { HttpError } from '../http/errors.ts'

/** Pages and health checks. None of them shows data of other clients. */
const OPEN_PAGES: ReadonlySet<string> = new Set([
  '/',
  '/digits',
  '/docs',
  '/feedback',
  '/healthz',
  '/openapi.json',
  '/readyz',
  // The page alone: the route shows the figures only to clients with a key.
  '/status',
  '/vgg',
])

/** The scripts and styles of these pages. */
const OPEN_FOLDER = '/public/'

/** With API_KEYS set, every path that is not listed above needs a key: a new route is closed until it is listed. */
export function requireKey(keys: readonly string[], models: readonly string[]): Middleware {
  if (keys.length === 0) return (_ctx, next) => next()
  const find = keyFinder(keys)
  const modelPages = new Set(models.map((model) => `/${model}`))
  return (ctx, next) => {
    const brought = keysOf(ctx)
    const found = brought.map(find).find((index) => index !== undefined)
    if (found !== undefined) ctx.state.key = found
    else if (!isOpen(ctx.method, ctx.state.path, modelPages)) throw unauthorized(brought.length > 0)
    return next()
  }
}

/** Whether a route needs a key when API_KEYS is set. */
export function isClosed(method: string, path: string, models: readonly string[]): boolean {
  return !isOpen(method.toUpperCase(), path, new Set(models.map((model) => `/${model}`)))
}

/** A preflight cannot have a key, and the answer shows no data. */
function isOpen(method: string, path: string, modelPages: ReadonlySet<string>): boolean {
  if (method === 'OPTIONS') return true
  if (method !== 'GET' && method !== 'HEAD') return false
  return OPEN_PAGES.has(path) || modelPages.has(path) || path.startsWith(OPEN_FOLDER)
}

/**
 * Finds the index of a key in constant time: each key is compared, as a digest under a random secret. So the time tells neither
 * how many characters were right, nor how long the keys are, nor which key it was.
 */
function keyFinder(keys: readonly string[]): (brought: string) => number | undefined {
  const secret = randomBytes(32)
  const digest = (key: string) => createHmac('sha256', secret).update(key).digest()
  const known = keys.map(digest)
  return (brought) => {
    const its = digest(brought)
    return known.reduce<number | undefined>(
      (found, one, index) => (timingSafeEqual(one, its) ? index : found),
      undefined,
    )
  }
}

/** From headers only, because every proxy on the way would log a key in a URL. */
function keysOf(ctx: Context): string[] {
  const [, bearer = ''] = /^bearer +(\S+)$/i.exec(ctx.get('Authorization')) ?? []
  return [bearer, ctx.get('X-Api-Key')].filter((key) => key !== '')
}

function unauthorized(broughtOne: boolean): HttpError {
  const challenge = 'Bearer realm="Tandem"'
  if (!broughtOne) {
    const sentence = 'This request needs a key, as "Authorization: Bearer <key>" or "X-Api-Key: <key>".'
    return new HttpError('ERR_UNAUTHORIZED', sentence, { 'WWW-Authenticate': challenge })
  }
  return new HttpError('ERR_UNAUTHORIZED', 'The key is not one of the accepted keys.', {
    'WWW-Authenticate': `${challenge}, error="invalid_token"`,
  })
}

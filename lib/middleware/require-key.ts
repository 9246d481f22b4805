import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Context, Middleware } from '../http/context.ts'
import { HttpError } from '../http/errors.ts'

/** Pages, and what tells whether the service runs. They show nothing of what others have sent. */
const OPEN_PAGES: ReadonlySet<string> = new Set([
  '/',
  '/digits',
  '/docs',
  '/feedback',
  '/healthz',
  '/openapi.json',
  '/readyz',
  // Its figures are another matter: the route gives them to those with a key alone.
  '/status',
  '/vgg',
])

/** The files of these pages. */
const OPEN_FOLDER = '/public/'

/** With API_KEYS set, whatever is not listed above needs one of them: a new route is closed until somebody opens it. */
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

/** Whether a route needs a key, where keys are set at all. */
export function isClosed(method: string, path: string, models: readonly string[]): boolean {
  return !isOpen(method.toUpperCase(), path, new Set(models.map((model) => `/${model}`)))
}

/** A preflight cannot bring a key, and its answer tells nothing. */
function isOpen(method: string, path: string, modelPages: ReadonlySet<string>): boolean {
  if (method === 'OPTIONS') return true
  if (method !== 'GET' && method !== 'HEAD') return false
  return OPEN_PAGES.has(path) || modelPages.has(path) || path.startsWith(OPEN_FOLDER)
}

/**
 * Which of the keys it is. Only digests under a key of this process are compared, all of them, whichever fits: the time
 * that it takes says nothing of how many characters were right, of how long the keys are, or of how far down one stands.
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

/** From the headers only: an address with a key in it would be logged by every proxy on the way. */
function keysOf(ctx: Context): string[] {
  const [, bearer = ''] = /^bearer +(\S+)$/i.exec(ctx.get('Authorization')) ?? []
  return [bearer, ctx.get('X-Api-Key')].filter((key) => key !== '')
}

function unauthorized(broughtOne: boolean): HttpError {
  const challenge = 'Bearer realm="Tandem"'
  if (!broughtOne) {
    const sentence = 'This needs a key, as "Authorization: Bearer <key>" or "X-Api-Key: <key>".'
    return new HttpError('ERR_UNAUTHORIZED', sentence, { 'WWW-Authenticate': challenge })
  }
  return new HttpError('ERR_UNAUTHORIZED', 'The key is not one of the accepted keys.', {
    'WWW-Authenticate': `${challenge}, error="invalid_token"`,
  })
}

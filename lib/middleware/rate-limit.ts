import { RecentMap } from '../cache/recent-map.ts'
import { clientAddress, networkOf } from '../http/client-address.ts'
import type { Context, Middleware } from '../http/context.ts'
import { HttpError } from '../http/errors.ts'

/** About 15 MB. With more clients in a minute, the least recent ones are forgotten, and may send a full minute's worth. */
const MAX_CLIENTS = 50_000
const WINDOW_S = 60
/** Fractions of tokens do not add up to exactly one. */
const ROUNDING = 1e-6

interface Bucket {
  tokens: number
  /** the time of the last update of `tokens`, on the clock of `now` */
  at: number
}

/**
 * Limits the POST requests per minute and client with a token bucket. A full bucket allows the requests of a whole minute at
 * once, and fills evenly. A refused request takes no token.
 */
export function rateLimit(perMinute: number, now: () => number = () => performance.now() / 1000): Middleware {
  if (perMinute === 0) return (_ctx, next) => next()
  const buckets = new RecentMap<Bucket>({ max: MAX_CLIENTS })
  const perSecond = perMinute / WINDOW_S
  const policy = `${perMinute};w=${WINDOW_S}`

  return (ctx, next) => {
    if (ctx.method !== 'POST') return next()
    const bucket = refilled(clientOf(ctx))
    const isWithin = bucket.tokens >= 1 - ROUNDING
    if (isWithin) bucket.tokens = Math.max(0, bucket.tokens - 1)
    ctx.set({
      'RateLimit-Limit': String(perMinute),
      'RateLimit-Remaining': String(Math.floor(bucket.tokens + ROUNDING)),
      'RateLimit-Reset': String(secondsUntil(perMinute, bucket)),
      'RateLimit-Policy': policy,
    })
    if (isWithin) return next()
    const wait = secondsUntil(1, bucket)
    throw new HttpError(
      'ERR_RATE_LIMIT',
      `A client may send ${perMinute} POST requests per minute; retry in ${wait} s.`,
      { 'Retry-After': String(wait) },
    )
  }

  function refilled(client: string): Bucket {
    const at = now()
    const bucket = buckets.get(client) ?? { tokens: perMinute, at }
    bucket.tokens = Math.min(perMinute, bucket.tokens + (at - bucket.at) * perSecond)
    bucket.at = at
    buckets.set(client, bucket)
    return bucket
  }

  /** Whole seconds, rounded up, so that a client that waits this long is let through. */
  function secondsUntil(tokens: number, bucket: Bucket): number {
    return Math.max(1, Math.ceil((tokens - bucket.tokens) / perSecond - ROUNDING))
  }
}

/** A valid key identifies a client, whatever the address; without a key, the network does. */
function clientOf(ctx: Context): string {
  return ctx.state.key === undefined ? networkOf(clientAddress(ctx)) : `key ${ctx.state.key}`
}

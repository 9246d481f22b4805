import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { z } from 'zod'
import type { Context } from '../http/context.ts'
import { OWN_ERROR } from '../http/dialect.ts'
import { HttpError } from '../http/errors.ts'
import { type Operation, serve } from '../http/operation.ts'
import { ModelState, modelStates } from '../models/model-state.ts'
import { sendPage } from '../pages/send-page.ts'
import { statusPage } from '../pages/status-page.ts'
import type { Service } from '../service.ts'
import { Samples } from '../status/samples.ts'
import { INTERVAL_MS } from '../status/status-history.ts'

const StatusQuery = z.object({
  since: z.coerce
    .number()
    .min(0)
    .optional()
    .describe('Only samples after this time: the newest `t` of the previous answer.'),
})

export const StatusAnswer = z.object({
  now: z.number(),
  startedAt: z.number().describe('Milliseconds since 1970, like all times in this answer.'),
  version: z.string(),
  interval: z.number().describe('Milliseconds from one sample to the next.'),
  draining: z.boolean().describe('Whether the service is shutting down.'),
  models: z.array(ModelState),
  samples: Samples,
})
export type StatusAnswer = z.output<typeof StatusAnswer>

const status = {
  method: 'get',
  paths: ['/status'],
  group: 'Operation',
  summary: 'The current state of the service, and a sample for each second of the last 15 minutes',
  query: StatusQuery,
  answers: {
    200: {
      means: 'A page, or JSON if "Accept" prefers that.',
      content: { 'text/html': 'A page with charts.', 'application/json': StatusAnswer },
    },
  },
  errors: [400, 401],
  errorShape: OWN_ERROR,
  example: "curl -H 'Accept: application/json' $URL/status",
} as const satisfies Operation

/** Smaller answers fit into one packet anyway. */
const COMPRESSED_FROM_BYTES = 1024
/** The page contains the newest figures; its script fetches the older ones. */
const SHOWN_ON_PAGE_MS = 15_000
const compress = promisify(gzip)

/** `GET /status`: the current figures and those of the last 15 minutes, as a page and as JSON. */
export function statusRoutes(service: Service): void {
  const { brokers, config, history, site, state } = service
  serve(service, status, async (ctx, { since }) => {
    ctx.set('Cache-Control', 'no-store')
    ctx.vary('Accept')
    const isPage = ctx.accepts('html', 'json') === 'html'
    const mayRead = config.apiKeys.length === 0 || ctx.state.key !== undefined
    if (!mayRead && !isPage) throw unauthorized(ctx)
    const figures = (after: number): StatusAnswer => ({
      now: Date.now(),
      startedAt: history.startedAt,
      version: site.version,
      interval: INTERVAL_MS,
      draining: state.draining,
      models: modelStates(brokers),
      samples: history.samples(after),
    })
    if (!isPage) return answerJson(ctx, JSON.stringify(figures(since ?? 0)))
    await sendPage(ctx, statusPage(site, mayRead ? figures(Date.now() - SHOWN_ON_PAGE_MS) : undefined))
  })
}

async function answerJson(ctx: Context, text: string): Promise<void> {
  ctx.type = 'json'
  ctx.vary('Accept-Encoding')
  const isLong = text.length >= COMPRESSED_FROM_BYTES
  if (!isLong || ctx.acceptsEncodings('gzip', 'identity') !== 'gzip') {
    ctx.body = text
    return
  }
  ctx.set('Content-Encoding', 'gzip')
  ctx.body = await compress(text)
}

/** The figures need a key. The page needs none, because its script asks the user for a key. */
function unauthorized(ctx: Context): HttpError {
  const broughtOne = ctx.get('Authorization') !== '' || ctx.get('X-Api-Key') !== ''
  const sentence = broughtOne
    ? 'The key is not one of the accepted keys.'
    : 'The figures need a key, as "Authorization: Bearer <key>" or "X-Api-Key: <key>".'
  return new HttpError('ERR_UNAUTHORIZED', sentence, { 'WWW-Authenticate': 'Bearer realm="Tandem"' })
}

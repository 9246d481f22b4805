import { PassThrough } from 'node:stream'
import type { Context } from '../http/context.ts'
import { describeError } from '../http/errors.ts'
import type { CallState, FailedState } from '../models/model-answer.ts'
import type { Watcher } from '../models/predictor.ts'

/**
 * Answers with a line of JSON for each state of a prediction, so that a page can show the progress. The HTTP status is
 * sent with the first line; a later failure is reported in the last line.
 */
export async function streamStates(ctx: Context, work: (watcher: Watcher) => Promise<object>): Promise<void> {
  const lines = new PassThrough()
  const write = (line: CallState | FailedState | { readonly state: 'done' }) =>
    lines.write(`${JSON.stringify(line)}\n`)
  let answered: () => void = () => {}
  const begun = new Promise<void>((resolve) => {
    answered = resolve
  })
  const say = (line: CallState) => {
    write(line)
    answered()
  }
  const done = work({
    downloading: () => say({ state: 'downloading' }),
    position: (position) => say(position > 0 ? { state: 'queued', position } : { state: 'predicting' }),
  })
  const finished = done.then(
    (answer) => write({ state: 'done', ...answer }),
    (error: unknown) => {
      const failed = failure(error, ctx)
      if (failed.status >= 500) ctx.app.emit('error', error, ctx)
      write({ state: 'failed', ...failed } satisfies FailedState)
    },
  )
  // A request that fails before its first state gets an ordinary error answer.
  await Promise.race([begun, done])
  ctx.type = 'application/x-ndjson'
  ctx.set('Cache-Control', 'no-store')
  ctx.set('X-Accel-Buffering', 'no')
  ctx.body = lines
  void finished.then(() => lines.end())
}

function failure(error: unknown, ctx: Context) {
  const { status, code, message, retryAfter } = describeError(error)
  const { requestId } = ctx.state
  return { status, ...(retryAfter !== undefined && { retryAfter }), error: { code, message, requestId } }
}

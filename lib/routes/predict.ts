import type { Router } from '@koa/router'
import type { Classification, Classifier } from '../classifier.ts'
import { HttpError } from '../errors.ts'
import type { ReadBody } from '../middleware/read-body.ts'
import type { RequestState } from '../state.ts'

/** `POST /<model>`: the bytes of one input as the raw body, of whatever type. */
export function predictRoutes(
  router: Router<RequestState>,
  classifier: Classifier,
  readBody: ReadBody,
): void {
  for (const model of classifier.models) {
    router.post(pathsOf(model), async (ctx) => {
      const input = await readBody(ctx.req)
      if (input.length === 0)
        throw new HttpError('ERR_BODY_EMPTY', `POST /${model} needs the input as its body.`)
      ctx.body = shape(await classifier.classify(model, input, ctx.state.gone))
    })
  }
}

/** The default model has kept the short name of the service that it comes from. */
function pathsOf(model: string): string[] {
  return model === 'vgg16' ? ['/vgg16', '/vgg'] : [`/${model}`]
}

/** A list of guesses is `predictions`; any other answer is one `prediction`. */
function shape({ model, value, timing }: Classification): Record<string, unknown> {
  const { queue, prepare, predict, total } = timing
  const answer = Array.isArray(value) ? { predictions: value } : { prediction: value }
  const ms = { queue: round(queue), prepare: round(prepare), predict: round(predict), total: round(total) }
  return { model, ...answer, timing: ms }
}

/** Microseconds are more than the clock is good for. */
function round(ms: number): number {
  return Math.round(ms * 1000) / 1000
}

import { createHash } from 'node:crypto'
import { z } from 'zod'
import { OWN } from '../dialects/all.ts'
import { HttpError } from '../http/errors.ts'
import { NoQuery, type Operation, serve } from '../http/operation.ts'
import { Encoded } from '../http/tagged-bytes.ts'
import type { RouteParts } from '../service.ts'

interface Made {
  readonly labels: readonly string[]
  readonly etag: string
  readonly content: Encoded
}

const labelList = {
  method: 'get',
  paths: ['/labels/:model'],
  group: 'Models',
  summary: 'The labels of a model, in the order of its outputs',
  query: NoQuery,
  answers: {
    200: {
      means: 'The labels; none before the model is ready, and from a pipeline of your own that has none.',
      content: { 'application/json': z.array(z.string()) },
    },
  },
  errors: [404],
  dialect: OWN,
  example: 'curl $URL/labels/vgg16',
} as const satisfies Operation

/** For the completion of what somebody types, and for whoever wants to know what a model can say. */
export function labelRoutes(parts: RouteParts): void {
  const { classifier } = parts
  const made = new Map<string, Made>()
  serve(parts, labelList, async (ctx) => {
    const model = String(ctx.params.model)
    if (!classifier.models.includes(model)) {
      throw new HttpError('ERR_MODEL_UNKNOWN', `No model called "${model}" is served.`)
    }
    const labels = classifier.labels(model)
    const known = made.get(model)
    const its = known && isSame(known.labels, labels) ? known : make(labels)
    made.set(model, its)
    ctx.status = 200
    ctx.set('Cache-Control', 'no-cache')
    ctx.set('ETag', its.etag)
    if (ctx.fresh) {
      ctx.status = 304
      return
    }
    await its.content.send(ctx)
    ctx.type = 'json'
  })
}

function make(labels: readonly string[]): Made {
  const text = JSON.stringify(labels)
  const hash = createHash('sha256').update(text).digest('base64url').slice(0, 22)
  return { labels, etag: `W/"${hash}"`, content: new Encoded(Buffer.from(text)) }
}

function isSame(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((label, index) => label === other[index])
}

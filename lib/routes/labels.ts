import { z } from 'zod'
import type { Api } from '../api.ts'
import { OWN_ERROR } from '../http/dialect.ts'
import { NoQuery, type Operation, serve } from '../http/operation.ts'
import { TaggedBytes } from '../http/tagged-bytes.ts'

interface KeptLabels {
  readonly labels: readonly string[]
  readonly content: TaggedBytes
}

const labelList = {
  method: 'get',
  paths: ['/labels/:model'],
  group: 'Models',
  summary: 'The labels of a model, in the order of its outputs',
  query: NoQuery,
  answers: {
    200: {
      means:
        'The labels. The list is empty before the model is ready, and if your own pipeline reports no labels.',
      content: { 'application/json': z.array(z.string()) },
    },
  },
  errors: [404],
  errorShape: OWN_ERROR,
  example: 'curl $URL/labels/vgg16',
} as const satisfies Operation

/** For pages that complete the user's input, and for programs that need the labels of a model. */
export function labelRoutes(api: Api): void {
  const { classifier, pipelineInfos } = api
  const kept = new Map<string, KeptLabels>()
  serve(api, labelList, async (ctx) => {
    const model = String(ctx.params.model)
    classifier.mustServe(model)
    const labels = pipelineInfos.of(model)?.labels ?? []
    const known = kept.get(model)
    const current = known?.labels === labels ? known : { labels, content: bytesOf(labels) }
    kept.set(model, current)
    ctx.set('Cache-Control', 'no-cache')
    await current.content.send(ctx, 'json')
  })
}

function bytesOf(labels: readonly string[]): TaggedBytes {
  return new TaggedBytes(Buffer.from(JSON.stringify(labels)))
}

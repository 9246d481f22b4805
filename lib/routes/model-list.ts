import { z } from 'zod'
import type { FleetStats } from '../../broker/broker.ts'
import type { Api } from '../api.ts'
import { OWN_ERROR } from '../http/dialect.ts'
import { NoQuery, type Operation, serve } from '../http/operation.ts'
import { readPipelineInfo } from '../models/pipeline-info.ts'
import { ServedModel } from '../models/served-model.ts'

const ModelList = z
  .object({ models: z.array(ServedModel) })
  .describe(
    'Fields other than name and state are null before the model is first ready, or if the pipeline reports none.',
  )

const list = {
  method: 'get',
  paths: ['/models'],
  group: 'Models',
  summary: 'The served models, in the order of MODELS',
  query: NoQuery,
  answers: { 200: { means: 'The models.', content: { 'application/json': ModelList } } },
  errors: [],
  errorShape: OWN_ERROR,
  example: 'curl $URL/models',
} as const satisfies Operation

export function modelListRoutes(api: Api): void {
  const { brokers, pipelineInfos } = api
  serve(api, list, (ctx) => {
    ctx.set('Cache-Control', 'no-store')
    const models = [...brokers].map(([name, broker]): ServedModel => {
      const stats = broker.stats()
      const info = pipelineInfos.of(name, stats)
      return {
        name,
        state: stats.state,
        error: stats.error,
        version: info?.version || null,
        subject: info?.subject ?? null,
        labels: info?.classes ?? null,
        input: info?.input ?? null,
        output: info?.output ?? null,
        ...(stats.fleet && ofHosts(stats.fleet)),
      }
    })
    ctx.body = { models }
  })
}

function ofHosts({ hosts }: FleetStats) {
  const ready = hosts.filter(({ state }) => state === 'ready')
  const versions = new Set(
    ready.map((host) => readPipelineInfo(host).version).filter((version) => version !== ''),
  )
  return { hosts: ready.length, versions: [...versions].sort() }
}

import { z } from 'zod'
import type { FleetStats } from '../../broker/broker.ts'
import { OWN_ERROR } from '../http/dialect.ts'
import { NoQuery, type Operation, serve } from '../http/operation.ts'
import { ModelOutput } from '../models/model-output.ts'
import { ModelError } from '../models/model-state.ts'
import { readPipelineInfo } from '../models/pipeline-info.ts'
import type { Service } from '../service.ts'

export const ServedModel = z.object({
  name: z.string(),
  state: z.string(),
  error: ModelError.describe('Why the model is not ready.'),
  version: z
    .string()
    .nullable()
    .describe('Identifies weights and settings. The same image gets the same answer from the same version.'),
  subject: z
    .string()
    .nullable()
    .describe('What the model classifies: "picture", or "digit" for the one digit on a picture.'),
  labels: z.int().nullable().describe('The number of classes. GET /labels/{model} lists the labels.'),
  input: z
    .object({
      width: z.int(),
      height: z.int(),
      channels: z.int().nullable().describe('1: grey. 3: colours. 4: colours and opacity.'),
      preprocessing: z.string().nullable().describe('What is done to the pixels; see docs/models.md.'),
    })
    .nullable()
    .describe('The size in pixels to which each image is scaled, and what its pixels become.'),
  output: ModelOutput.nullable().describe('What the model answers with, and what is done to its numbers.'),
  hosts: z
    .int()
    .optional()
    .describe('The number of ready model hosts; present if other hosts compute the predictions (ROLE=web).'),
  versions: z
    .array(z.string())
    .optional()
    .describe('The versions on the ready model hosts: two while the hosts are being updated.'),
})

export type ServedModel = z.output<typeof ServedModel>

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

export function modelListRoutes(service: Service): void {
  const { brokers, pipelineInfos } = service
  serve(service, list, (ctx) => {
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

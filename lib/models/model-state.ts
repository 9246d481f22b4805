import { z } from 'zod'
import type { BrokerStats, Calls } from '../../broker/broker.ts'
import type { Brokers } from './brokers.ts'
import { ModelTuning } from './model-tuning.ts'
import { readPipelineInfo } from './pipeline-info.ts'

/** Why a model is not ready; null while the model is ready. */
export const ModelError = z
  .object({
    code: z.string(),
    message: z.string(),
    permanent: z
      .boolean()
      .describe("If true, the service tries again only when one of the model's files changes."),
  })
  .nullable()

/** The model hosts that serve a model, and the connection to them. */
const Fleet = z.object({
  connected: z.boolean().describe('Whether the service is connected to RabbitMQ.'),
  blocked: z.string().nullable().describe('Why RabbitMQ accepts no messages, such as a memory alarm.'),
  waiting: z.int().nullable().describe("The calls of all web hosts that wait in RabbitMQ's queue."),
  oldestMs: z.number().describe('Milliseconds since the oldest pending call of this web host was made.'),
  reconnects: z.int(),
  returned: z
    .int()
    .describe('Calls that RabbitMQ has returned, because no model host has ever served the model.'),
  refused: z.int().describe('Calls that RabbitMQ has refused, because the queue is full.'),
  republished: z.int().describe('Calls that were published again after the connection came back.'),
  hosts: z.array(
    z.object({
      name: z.string(),
      state: z.string(),
      version: z.string().nullable(),
      device: z.string().nullable(),
      children: z.int(),
      inFlight: z.int(),
      rate: z.number().describe('Answers per second.'),
      restarts: z.int(),
      redelivered: z.int().describe('Calls taken over from a host that died or lost its connection.'),
      ageMs: z.number().describe('Milliseconds since the last word of the host.'),
    }),
  ),
})

/** The current state of one model, for pages and for JSON. */
export const ModelState = z.object({
  name: z.string(),
  state: z.string(),
  device: z.string().nullable(),
  reason: z.string().nullable().describe('Why this device was chosen.'),
  engine: z.string().nullable(),
  tuning: ModelTuning.nullable().describe(
    'What measurements on this machine have found; null on a GPU and for files that are served unchanged.',
  ),
  precision: z
    .string()
    .nullable()
    .describe(
      'The numbers that the model is computed with: fp32, int8, or dense for dense layers alone as int8.',
    ),
  quantization: z
    .string()
    .nullable()
    .describe(
      'How well the int8 model agrees with the float model, or why PRECISION=auto serves floats; null where floats are wanted.',
    ),
  warnings: z
    .array(z.string())
    .describe('What slows the model down although it works, such as a folder that cannot be written.'),
  progress: z.object({ fraction: z.number(), word: z.string() }).nullable(),
  error: ModelError,
  restarts: z.int().describe('Number of child processes that died unexpectedly since the service started.'),
  queued: z.int(),
  inFlight: z.int(),
  workers: z.array(z.object({ pid: z.int().nullable(), state: z.string(), inFlight: z.int() })),
  spares: z
    .array(z.object({ pid: z.int().nullable(), state: z.string() }))
    .describe('Child processes that get no calls until they take the place of one that died.'),
  fleet: Fleet.optional().describe('Present if other hosts compute the predictions (ROLE=web).'),
})
export type ModelState = z.output<typeof ModelState>

export function modelStates(brokers: Brokers): ModelState[] {
  return [...brokers].map(([name, broker]) => modelState(name, broker))
}

/** Device, reason, engine and warnings come from the current child. */
export function modelState(name: string, broker: Calls): ModelState {
  const stats = broker.stats()
  const { state, progress, error, restarts, queued, inFlight, workers, spares, fleet } = stats
  const { device, reason, engine, tuning, precision, quantization, warnings } = readPipelineInfo(stats)
  return {
    name,
    state,
    device,
    reason,
    engine,
    tuning,
    precision,
    quantization,
    warnings: [...warnings],
    progress,
    error,
    restarts,
    queued,
    inFlight,
    workers: workers.map(({ pid, ...rest }) => ({ pid: pid ?? null, ...rest })),
    spares: spares.map(({ pid, state }) => ({ pid: pid ?? null, state })),
    ...(fleet && { fleet: fleetState(fleet) }),
  }
}

function fleetState({ oldest, hosts, ...fleet }: NonNullable<BrokerStats['fleet']>): z.output<typeof Fleet> {
  return {
    ...fleet,
    oldestMs: Math.round(oldest),
    hosts: hosts.map(({ boot, capacity, info, rate, age, ...host }) => {
      const { version, device } = readPipelineInfo({ info })
      const rounded = { rate: Math.round(rate * 10) / 10, ageMs: Math.round(age) }
      return { ...host, version: version || null, device, ...rounded }
    }),
  }
}

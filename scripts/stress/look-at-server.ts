import { setTimeout as delay } from 'node:timers/promises'
import { Client } from 'undici'
import { z } from 'zod'
import { CommandError, EXIT } from '../shared/command-error.ts'
import { readMetrics } from '../shared/metrics-text.ts'
import type { Plan } from './arguments.ts'

/** What the server tells of itself: as much as /readyz, /models and /metrics hold. */
export interface ServerAbout {
  readonly models: readonly ServedModel[]
  readonly node: string | undefined
}

export interface ServedModel {
  readonly name: string
  readonly state: string
  readonly device: string | null
  readonly reason: string | null
  readonly workers: number
  readonly version: string | null
  readonly input: { readonly width: number; readonly height: number } | null
  readonly labels: number | null
}

const TIMEOUT_MS = 10_000
const MAX_BYTES = 4 * 2 ** 20
const READY_WITHIN_MS = 120_000
const ASK_AGAIN_MS = 500

const Readiness = z.object({
  status: z.string(),
  models: z.record(
    z.string(),
    z.object({
      state: z.string(),
      device: z.string().nullish(),
      reason: z.string().nullish(),
      workers: z.array(z.unknown()).default([]),
      progress: z.object({ word: z.string() }).nullish(),
    }),
  ),
})

const ModelList = z.object({
  models: z.array(
    z.object({
      name: z.string(),
      version: z.string().nullish(),
      labels: z.number().nullish(),
      input: z.object({ width: z.number(), height: z.number() }).nullish(),
    }),
  ),
})

type Looking = Pick<Plan, 'url' | 'key' | 'model'> & { readonly readyWithinMs?: number }

/**
 * Waits until the server has a model ready, and reads what it tells. A CommandError says what would make every request
 * of a test fail. A service that has no /readyz is taken as it is: the older services can be loaded, too.
 */
export async function lookAtServer(
  { url, key, model, readyWithinMs = READY_WITHIN_MS }: Looking,
  say: (sentence: string) => void,
): Promise<ServerAbout> {
  const client = new Client(url.origin, {
    connect: { timeout: TIMEOUT_MS },
    headersTimeout: TIMEOUT_MS,
    bodyTimeout: TIMEOUT_MS,
    maxResponseSize: MAX_BYTES,
  })
  const ask = async (path: string) => {
    const headers = key === undefined ? {} : { authorization: `Bearer ${key}` }
    const { statusCode, body } = await client.request({ method: 'GET', path, headers })
    return { status: statusCode, text: await body.text() }
  }
  try {
    await ask('/').catch((error: unknown) => {
      throw unreachable(`${url.origin} cannot be reached: ${messageOf(error)}.`)
    })
    const readiness = await whenReady(ask, url, readyWithinMs, say)
    const { status, text } = await ask('/models')
    if (status === 401) throw wrongKey(url, key)
    const list = parsed(ModelList, text)?.models ?? []
    mustServe(model, list)
    const metrics = await ask('/metrics')
    const [node] = readMetrics(metrics.text).filter(({ name }) => name === 'nodejs_version_info')
    return {
      node: node?.labels.version,
      models: list.map(({ name, version = null, labels = null, input = null }) => {
        const its = readiness?.models[name]
        return {
          name,
          version,
          labels,
          input,
          state: its?.state ?? 'unknown',
          device: its?.device ?? null,
          reason: its?.reason ?? null,
          workers: its?.workers.length ?? 0,
        }
      }),
    }
  } catch (error) {
    if (error instanceof CommandError) throw error
    throw unreachable(`${url.origin} answers no longer: ${messageOf(error)}.`)
  } finally {
    await client.destroy()
  }
}

async function whenReady(
  ask: (path: string) => Promise<{ status: number; text: string }>,
  url: URL,
  withinMs: number,
  say: (sentence: string) => void,
): Promise<z.output<typeof Readiness> | undefined> {
  const end = performance.now() + withinMs
  for (let isFirst = true; ; isFirst = false) {
    const { status, text } = await ask('/readyz')
    const readiness = parsed(Readiness, text)
    if (readiness === undefined || status === 200) return readiness
    const states = Object.entries(readiness.models).map(([name, { state }]) => `${name}: ${state}`)
    if (performance.now() >= end || readiness.status === 'draining') {
      throw unreachable(`${url.origin} has no model ready (${states.join(', ')}).`)
    }
    if (isFirst) say(`Waiting for a model to be ready (${states.join(', ')}).`)
    await delay(ASK_AGAIN_MS)
  }
}

function mustServe(model: string | undefined, list: readonly { readonly name: string }[]): void {
  if (model === undefined || list.some(({ name }) => name === model)) return
  const served = list.length === 0 ? 'tells of none' : `serves ${list.map(({ name }) => name).join(', ')}`
  throw new CommandError(
    `--model must be a model of the server, but is "${model}"; the server ${served}.`,
    EXIT.usage,
  )
}

function wrongKey(url: URL, key: string | undefined): CommandError {
  const sentence =
    key === undefined
      ? `${url.origin} wants a key: put one of its API_KEYS into the environment variable TANDEM_KEY.`
      : `${url.origin} does not accept the key in TANDEM_KEY.`
  return new CommandError(sentence, EXIT.usage)
}

function unreachable(message: string): CommandError {
  return new CommandError(message, EXIT.unreachable)
}

/** undefined for what is not of that shape: the answer of another kind of service */
function parsed<Schema extends z.ZodType>(schema: Schema, text: string): z.output<Schema> | undefined {
  try {
    return schema.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}

/** A name with several addresses fails once for each of them, in an AggregateError without a message. */
function messageOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(messageOf).join(', ')
  return error instanceof Error ? error.message : String(error)
}

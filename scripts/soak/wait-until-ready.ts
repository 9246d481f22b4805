import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'
import { CommandError, EXIT } from '../shared/command-error.ts'
import type { ServiceProcess } from './service-process.ts'

/** A first start may download and compile models. */
const READY_WITHIN_MS = 300_000
const ASK_EVERY_MS = 100

const Readiness = z.object({
  models: z.record(
    z.string(),
    z.object({ state: z.string(), error: z.object({ message: z.string() }).nullish() }),
  ),
})

/** Waits until every model is ready: /readyz itself answers 200 for the first one. */
export async function waitUntilReady(url: URL, service: ServiceProcess, signal: AbortSignal): Promise<void> {
  const end = performance.now() + READY_WITHIN_MS
  for (;;) {
    const states = Object.entries(await statesAt(url))
    if (states.length > 0 && states.every(([, { state }]) => state === 'ready')) return
    const failed = states.find(([, { error }]) => error)
    const sentence = failed && `The model "${failed[0]}" cannot be served: ${failed[1].error?.message}`
    if (sentence !== undefined) throw new CommandError(sentence, EXIT.unreachable)
    if (signal.aborted) throw endedBefore()
    if (!service.isRunning || performance.now() > end)
      throw new CommandError(['The service is not ready.', ...service.keptLines].join('\n'), EXIT.unreachable)
    await delay(ASK_EVERY_MS)
  }
}

export function endedBefore(): CommandError {
  return new CommandError('The test was ended before its load began.', EXIT.endedEarly)
}

async function statesAt(url: URL) {
  try {
    const answer = await fetch(new URL('/readyz', url))
    return Readiness.parse(await answer.json()).models
  } catch {
    return {}
  }
}

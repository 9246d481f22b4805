/** The main module of the forked child: makes the pipeline, answers calls, and ends when the parent ends. */

import { encodeError, watchedPaths } from '../error-wire.ts'
import { BrokerError } from '../errors.ts'
import {
  type CallAnswer,
  type ChildLimits,
  type Condemned,
  type FromChild,
  isToChild,
  type ToChild,
} from '../messages.ts'
import type { MakePipeline, Pipeline, Progress } from '../pipeline.ts'
import { Batcher } from './batcher.ts'
import { PrepareClock } from './prepare-clock.ts'
import { startWatcher } from './watcher.ts'

const MAX_WORD = 500

let pipeline: Pipeline | undefined
let batcher: Batcher | undefined

let clock: PrepareClock | undefined

const watcher = startWatcher()
// The exit would wait for the threads of libuv's pool, and no thread would watch the parent any more.
process.once('exit', (code) => {
  if (!clock?.running.length) return
  condemn({ code: 'ERR_CHILD_EXIT', message: `The child exited with code ${code}.`, keys: [] })
  process.kill(process.pid, 'SIGKILL')
})
process.on('message', (message: unknown) => {
  if (!isToChild(message))
    throw new BrokerError('ERR_PROTOCOL', 'The parent sent a message of an unknown kind.')
  void receive(message)
})

async function receive(message: ToChild): Promise<void> {
  switch (message.kind) {
    case 'start':
      return start(message)
    case 'call':
      return batcher?.accept([message])
    case 'calls':
      return batcher?.accept(message.calls)
    case 'cancel':
      return batcher?.cancel(message.keys)
    case 'ping':
      return ready()
    case 'close':
      await pipeline?.close?.()
      process.exit(0)
  }
}

async function start(message: Extract<ToChild, { kind: 'start' }>): Promise<void> {
  process.title = `tandem ${message.name}`
  try {
    pipeline = await makePipeline(message.pipeline, message.options)
    clock = prepareClock(message)
    batcher = new Batcher(pipeline, message, clock, answer)
    await ready()
    limitMemory(message)
  } catch (error) {
    await sent({ kind: 'failed', error: encodeError(error) })
    process.exit(1)
  }
}

async function ready(): Promise<void> {
  if (!batcher || !pipeline) return
  const { info, watch } = pipeline
  await sent({ kind: 'ready', methods: batcher.methods, info, watch: watchedPaths(watch) })
}

async function makePipeline(url: string, options: unknown): Promise<Pipeline> {
  const module: { makePipeline?: unknown } = await import(url)
  if (typeof module.makePipeline !== 'function') {
    throw new BrokerError('ERR_OPTION', `The module ${url} exports no function "makePipeline".`)
  }
  const made: unknown = await (module.makePipeline as MakePipeline)(options as never, { progress })
  if (typeof made === 'object' && made !== null) return made
  throw new BrokerError('ERR_OPTION', `makePipeline of ${url} returned ${typeof made} instead of a pipeline.`)
}

const progress: Progress = (fraction, word) => {
  const bounded = Math.min(1, Math.max(0, Number(fraction) || 0))
  process.send?.({
    kind: 'progress',
    fraction: bounded,
    word: String(word).slice(0, MAX_WORD),
  } satisfies FromChild)
}

function prepareClock({ prepareTimeout }: ChildLimits): PrepareClock {
  return new PrepareClock(prepareTimeout, (keys) => {
    const message = `The preparation of an input took longer than ${prepareTimeout} ms (prepareTimeout).`
    condemn({ code: 'ERR_COST', message, keys })
  })
}

/** No call is certainly the cause: an earlier one may have left memory that was never given back. */
function limitMemory({ maxGrowth }: ChildLimits): void {
  const ready = process.memoryUsage.rss()
  watcher.limitMemory(ready + maxGrowth, (taken) => {
    const grown = taken - ready
    const message = `The child took ${grown} bytes more than when it was ready; the limit is ${maxGrowth} (maxGrowth).`
    condemn({ code: 'ERR_COST', message, keys: [] })
  })
}

function condemn(why: Omit<Condemned, 'kind'>): void {
  if (process.connected) process.send?.({ kind: 'condemned', ...why } satisfies FromChild)
}

/** Sends one message for a batch. If the message cannot be cloned, sends each answer alone, and only one is lost. */
function answer(answers: CallAnswer[]): void {
  const [first] = answers
  const single = first && answers.length === 1
  try {
    process.send?.((single ? first : { kind: 'answers', answers }) satisfies FromChild)
  } catch (error) {
    for (const one of single ? [notCloneable(first, error)] : answers) answer([one])
  }
}

function notCloneable({ key, work }: CallAnswer, error: unknown): CallAnswer {
  const why = error instanceof Error ? error.message : String(error)
  const message = `The pipeline's answer cannot cross the pipe: ${why}`
  return { kind: 'failure', key, error: encodeError(new BrokerError('ERR_NOT_CLONEABLE', message)), work }
}

/** Resolves when the message has been written: process.exit() before that would lose the message. */
function sent(message: FromChild): Promise<void> {
  return new Promise((resolve) => {
    process.send?.(message, undefined, undefined, () => resolve())
  })
}

/** The main module of the forked child: makes the pipeline, answers calls, and ends when the parent ends. */

import { encodeError } from '../error-wire.ts'
import { BrokerError } from '../errors.ts'
import { type CallAnswer, type FromChild, isToChild, type ToChild } from '../messages.ts'
import type { MakePipeline, Pipeline, Progress } from '../pipeline.ts'
import { Batcher } from './batcher.ts'
import { watchParent } from './watch-parent.ts'

const MAX_WORD = 500

let pipeline: Pipeline | undefined
let batcher: Batcher | undefined

watchParent()
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
    case 'close':
      await pipeline?.close?.()
      process.exit(0)
  }
}

async function start(message: Extract<ToChild, { kind: 'start' }>): Promise<void> {
  process.title = `tandem ${message.name}`
  try {
    pipeline = await makePipeline(message.pipeline, message.options)
    batcher = new Batcher(pipeline, message.maxBatch, answer)
    await sent({ kind: 'ready', methods: batcher.methods, info: pipeline.info })
  } catch (error) {
    await sent({ kind: 'failed', error: encodeError(error) })
    process.exit(1)
  }
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

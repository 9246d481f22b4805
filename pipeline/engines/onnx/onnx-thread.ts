import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { PipelineError } from '../../errors.ts'
import { sizeOf } from '../../graph/computed-outputs.ts'
import type { OnnxEngine, OnnxOptions } from './onnx.ts'
import type { FromWorker, ToWorker, WorkerError } from './onnx-worker-messages.ts'

interface Pending {
  resolve(scores: Float32Array): void
  reject(error: Error): void
}

/**
 * A new thread cannot load TypeScript, even if this thread can. So a worker run from source is imported by a line of
 * JavaScript that loads tsx first; a built worker is JavaScript already.
 */
function newWorker(options: OnnxOptions): Worker {
  if (!import.meta.url.endsWith('.ts')) {
    return new Worker(new URL('./onnx-worker.js', import.meta.url), { workerData: options })
  }
  const source = JSON.stringify(new URL('./onnx-worker.ts', import.meta.url))
  const bootstrap = `import('tsx/esm/api').then(({ register }) => (register(), import(${source})))`
  return new Worker(bootstrap, { eval: true, workerData: options })
}

/**
 * The engine of onnx.ts on a thread of its own, so that this thread goes on decoding images while a batch is computed.
 * `close` lets the thread end by itself, since terminating a thread during a run aborts the whole process.
 */
export async function openOnnxThread(options: OnnxOptions): Promise<OnnxEngine> {
  const worker = newWorker(options)
  const pending = new Map<number, Pending>()
  const { input, outputShape, others, rowSize } = await ready(worker)
  worker.on('message', (message: FromWorker) => settle(pending, message))
  worker.on('error', (cause) =>
    rejectAll(pending, new PipelineError('ERR_ENGINE', 'The thread of the model failed.', { cause })),
  )
  worker.on('exit', () =>
    rejectAll(pending, new PipelineError('ERR_ENGINE', 'The thread of the model ended.')),
  )
  let count = 0
  let closing: Promise<void> | undefined

  const post = (message: ToWorker, transfer: ArrayBuffer[] = []) => worker.postMessage(message, transfer)

  async function end(): Promise<void> {
    const exit = once(worker, 'exit')
    post({ kind: 'close' })
    await exit
  }

  return {
    name: 'onnx',
    device: options.device,
    input,
    inputShape: input.shape,
    outputShape,
    outputSize: sizeOf(outputShape),
    others,
    rowSize,
    run(bytes, n) {
      if (closing) return Promise.reject(new PipelineError('ERR_ENGINE', 'The model is closed.'))
      return new Promise((resolve, reject) => {
        const key = ++count
        pending.set(key, { resolve, reject })
        const own = ownBuffer(bytes)
        post({ kind: 'run', key, bytes: own, n }, [own.buffer])
      })
    },
    close() {
      closing ??= end()
      return closing
    },
  }
}

function ready(worker: Worker): Promise<Extract<FromWorker, { kind: 'ready' }>> {
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown) =>
      reject(new PipelineError('ERR_ENGINE', 'The thread of the model did not start.', { cause }))
    worker.once('error', fail).once('exit', fail)
    worker.once('message', (message: FromWorker) => {
      worker.off('error', fail).off('exit', fail)
      if (message.kind === 'ready') resolve(message)
      else
        reject(
          message.kind === 'failed' ? rebuilt(message.error) : new Error('an answer before any question'),
        )
    })
  })
}

function settle(pending: Map<number, Pending>, message: FromWorker): void {
  if (message.kind !== 'answer' && message.kind !== 'failure') return
  const call = pending.get(message.key)
  pending.delete(message.key)
  if (message.kind === 'answer') call?.resolve(message.scores)
  else call?.reject(rebuilt(message.error))
}

function rejectAll(pending: Map<number, Pending>, error: PipelineError): void {
  for (const { reject } of pending.values()) reject(error)
  pending.clear()
}

/** A copy: the buffer is transferred, and so lost here, but the caller may still use its own buffer. */
function ownBuffer(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes)
}

function rebuilt({ code, message }: WorkerError): PipelineError {
  return new PipelineError(code, message)
}

import { parentPort, workerData } from 'node:worker_threads'
import { PipelineError } from '../../errors.ts'
import { type OnnxEngine, type OnnxOptions, openOnnx } from './onnx.ts'
import type { FromWorker, ToWorker, WorkerError } from './onnx-worker-messages.ts'

/* The thread behind onnx-thread.ts: opens a model, answers `run` messages, and ends at a `close` message. */

const engine = await openOnnx(workerData as OnnxOptions).catch((error: unknown) => {
  send({ kind: 'failed', error: plain(error) })
})
if (engine) serve(engine)

function serve(engine: OnnxEngine): void {
  const { input, outputShape, others, rowSize } = engine
  parentPort?.on('message', async (message: ToWorker) => {
    if (message.kind === 'close') {
      await engine.close()
      // Only the port kept the thread alive.
      parentPort?.close()
      return
    }
    const { key, bytes, n } = message
    try {
      const scores = await engine.run(bytes, n)
      send({ kind: 'answer', key, scores })
    } catch (error) {
      send({ kind: 'failure', key, error: plain(error) })
    }
  })
  send({ kind: 'ready', input, outputShape, others, rowSize })
}

function send(message: FromWorker): void {
  parentPort?.postMessage(message)
}

function plain(error: unknown): WorkerError {
  if (error instanceof PipelineError) return { code: error.code, message: error.message }
  return { code: 'ERR_ENGINE', message: error instanceof Error ? error.message : String(error) }
}

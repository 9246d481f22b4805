import { Worker } from 'node:worker_threads'
import { measure } from '../device/measure.ts'
import { openOnnx } from './onnx.ts'
import type { ProbeAnswer, ProbeRequest } from './probe-onnx.ts'

/* The process that tries a device. It answers once; the parent kills it then. */

// Lets the parent's time limit end first, since the parent reports the reason.
const SPARE_MS = 2_000

process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'))
process.once('message', (message) => void answer(message as ProbeRequest))

async function answer(request: ProbeRequest): Promise<void> {
  endAfter(request.limitMs + SPARE_MS)
  process.send?.(await probe(request))
}

async function probe({ model, sample, batch }: ProbeRequest): Promise<ProbeAnswer> {
  try {
    const engine = await openOnnx(model)
    return { kind: 'measured', ...(await measure(engine, sample, batch)) }
  } catch (error) {
    return { kind: 'failed', message: error instanceof Error ? error.message : String(error) }
  }
}

/**
 * A driver that hangs blocks this thread, which then neither notices the end of the parent nor fires timers. So another
 * thread ends this process when the time is up.
 */
function endAfter(limitMs: number): void {
  const code = `setTimeout(() => process.kill(process.pid, 'SIGKILL'), ${limitMs})`
  new Worker(code, { eval: true }).unref()
}

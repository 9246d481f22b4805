import { Worker } from 'node:worker_threads'
import { measure } from '../device/measure.ts'
import { openOnnx } from './onnx.ts'
import type { ProbeAnswer, ProbeRequest } from './probe-onnx.ts'

/* What runs in the process that tries a device. It answers once, and is killed for it. */

// The parent's own limit comes first, and with it the reason that is reported.
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
 * A call that hangs in a driver blocks this thread: the end of the parent would not be seen, and neither would a timer
 * here fire. Another thread sees to it that this process outlives nothing for long.
 */
function endAfter(limitMs: number): void {
  const code = `setTimeout(() => process.kill(process.pid, 'SIGKILL'), ${limitMs})`
  new Worker(code, { eval: true }).unref()
}

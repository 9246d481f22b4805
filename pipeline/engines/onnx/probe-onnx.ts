import { fork } from 'node:child_process'
import type { Measured } from '../device/measure.ts'
import type { Device } from '../engine.ts'
import type { OnnxOptions } from './onnx.ts'

export interface ProbeRequest {
  readonly model: OnnxOptions
  readonly sample: Uint8Array
  readonly batch: number
  readonly limitMs: number
}

export type ProbeAnswer =
  | ({ readonly kind: 'measured' } & Measured)
  | { readonly kind: 'failed'; readonly message: string }

/** Enough for a working driver to compile its shaders and run the model a few times. */
const LIMIT_MS = 20_000

/**
 * Measures a device in a process of its own. A driver may crash, which ends its process, or hang in a call that the
 * process cannot interrupt. Either then only means that the device is not chosen.
 */
export function probeOnnx(
  model: Omit<OnnxOptions, 'device'>,
  batch: number,
  limitMs: number = LIMIT_MS,
): (device: Device, sample: Uint8Array) => Promise<Measured> {
  return (device, sample) => probeInChild({ model: { ...model, device }, sample, batch, limitMs })
}

function probeInChild(request: ProbeRequest): Promise<Measured> {
  const child = fork(
    new URL(import.meta.url.endsWith('.ts') ? './probe-child.ts' : './probe-child.js', import.meta.url),
    {
      serialization: 'advanced',
      // The messages of drivers do not belong in the log.
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      execArgv: process.execArgv.filter((flag) => !flag.startsWith('--inspect')),
    },
  )
  return new Promise<Measured>((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new Error(`it did not answer within ${request.limitMs / 1000} s`))
    }, request.limitMs)
    child.on('error', reject)
    child.on('exit', (code, signal) =>
      reject(new Error(`its process ended with ${signal ?? `code ${code}`}`)),
    )
    child.on('message', (message) => {
      const answer = message as ProbeAnswer
      if (answer.kind === 'measured') resolve(answer)
      else reject(new Error(answer.message))
    })
    child.once('exit', () => clearTimeout(timer))
    child.send(request)
  }).finally(() => child.kill('SIGKILL'))
}

import { fork } from 'node:child_process'
import type { OnnxOptions } from '../pipeline/engines/onnx/onnx.ts'
import type { EngineAnswer, EngineOrder, EngineRun } from './peers/engine-session.ts'

export interface EnginePeer {
  readonly openMs: number
  run(order: EngineOrder): Promise<EngineRun>
  close(): void
}

/** An engine in a process of its own, whose memory is nothing else's. */
export async function openPeer(options: OnnxOptions): Promise<EnginePeer> {
  const peer = fork(new URL('./peers/engine-session.ts', import.meta.url), { serialization: 'advanced' })
  const ask = (message: OnnxOptions | EngineOrder) =>
    new Promise<EngineAnswer>((resolve, reject) => {
      const exit = (code: number | null, signal: string | null) =>
        reject(new Error(`its process ended with ${signal ?? `code ${code}`}`))
      peer.once('exit', exit)
      peer.once('message', (answer) => {
        peer.off('exit', exit)
        resolve(answer as EngineAnswer)
      })
      peer.send(message)
    })
  const opened = await ask(options)
  if (opened.kind !== 'open') {
    peer.kill('SIGKILL')
    throw new Error(opened.kind === 'failed' ? opened.message : 'it ran before it was told to')
  }
  return {
    openMs: opened.openMs,
    async run(order) {
      const answer = await ask(order)
      if (answer.kind === 'ran') return answer
      throw new Error(answer.kind === 'failed' ? answer.message : 'it did not run')
    },
    close: () => void peer.kill('SIGKILL'),
  }
}

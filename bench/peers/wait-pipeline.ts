import { createHash } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'

export interface WaitOptions {
  /** how long a real model would compute; 10 ms make a host of 100 images a second */
  readonly msPerInput?: number
}

/** A pipeline that waits where a model would compute. Its answer proves which input it has got. */
export function makePipeline({ msPerInput = 10 }: WaitOptions = {}) {
  return {
    info: { version: '1', device: 'none' },
    async predict(batch: readonly Uint8Array[]): Promise<string[]> {
      if (msPerInput > 0) await delay(msPerInput * batch.length)
      return batch.map((input) => createHash('sha256').update(input).digest('hex'))
    },
  }
}

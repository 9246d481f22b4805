import type { Agent } from 'node:http'
import sharp from 'sharp'
import { smoothImage } from '../test/support/synthetic.ts'
import { send } from './http.ts'

/** A 500×375 JPEG. */
export function photograph(): Promise<Buffer> {
  return sharp(smoothImage(375, 500), { raw: { width: 500, height: 375, channels: 3 } })
    .jpeg({ quality: 90 })
    .toBuffer()
}

export interface Load {
  readonly url: string
  readonly agent: Agent
  readonly photo: Buffer
  readonly count: number
  readonly forMs: number
}

/** Milliseconds at the caller, and milliseconds in the engine. */
export interface Call {
  readonly http: number
  readonly predict: number
}

/** `count` callers, each of whom posts the photograph again as soon as it has an answer. */
export async function callers({ url, agent, photo, count, forMs }: Load) {
  const calls: Call[] = []
  const start = performance.now()
  const end = start + forMs
  const caller = async () => {
    while (performance.now() < end) {
      const before = performance.now()
      const answer = await send(url, agent, photo, 'image/jpeg')
      const http = performance.now() - before
      calls.push({ http, predict: JSON.parse(answer).timing.predict })
    }
  }
  await Promise.all(Array.from({ length: count }, caller))
  return {
    calls,
    times: calls.map(({ http }) => http),
    perSecond: (calls.length * 1000) / (performance.now() - start),
  }
}

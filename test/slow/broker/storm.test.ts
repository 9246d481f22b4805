import { expect } from 'chai'
import type { Broker } from '../../../broker/broker.ts'
import { startBroker } from '../../support/broker.ts'

const killChild = (broker: Broker) => {
  const pid = broker.stats().workers[0]?.pid
  if (pid !== undefined) process.kill(pid, 'SIGKILL')
}

describe('When the child dies', () => {
  it('every 300 ms under 32 callers: right answers or clear errors, no hang, no growth, and back within 2 s', async () => {
    const deadline = 5_000
    const broker = await startBroker('behave', { maxBatch: 8, deadline })
    const states: string[] = []
    broker.on('state', ({ state }) => states.push(state))
    const end = performance.now() + 6_000
    const killer = setInterval(() => killChild(broker), 300)
    const codes = new Map<string, number>()
    let answers = 0
    let slowest = 0
    const heapBefore = await heapUsed()

    const caller = async (name: number) => {
      for (let turn = 0; performance.now() < end; turn++) {
        const value = { name, turn, bytes: Buffer.alloc(20_000, name) }
        const start = performance.now()
        try {
          const answer = await broker.call('predict', { value, predictMs: 5 })
          expect(answer).to.deep.equal({ ...value, bytes: new Uint8Array(value.bytes) })
          answers++
        } catch (error) {
          const code = (error as { code?: string }).code ?? String(error)
          codes.set(code, (codes.get(code) ?? 0) + 1)
          await new Promise((resolve) => setTimeout(resolve, 20))
        }
        slowest = Math.max(slowest, performance.now() - start)
      }
    }
    await Promise.all(Array.from({ length: 32 }, (_, name) => caller(name)))
    clearInterval(killer)
    killChild(broker)
    const back = performance.now()
    expect(await broker.call('predict', { value: 'back' })).to.equal('back')
    expect(performance.now() - back).to.be.below(2_000)
    expect(
      [...codes.keys()].filter((code) => !['ERR_CHILD_EXIT', 'ERR_DEADLINE'].includes(code)),
    ).to.deep.equal([])
    expect(states).not.to.include('failed')
    // A wrong answer would be among the codes, as a failed assertion.
    expect(answers).to.be.above(0)
    expect(slowest).to.be.below(deadline + 500)
    expect(broker.stats()).to.include({ queued: 0, inFlight: 0 })
    expect(broker.stats().restarts).to.be.above(1)
    expect((await heapUsed()) - heapBefore).to.be.below(16 * 2 ** 20)
  }).timeout(40_000)
})

async function heapUsed(): Promise<number> {
  const { setFlagsFromString } = await import('node:v8')
  const { runInNewContext } = await import('node:vm')
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
  return process.memoryUsage().heapUsed + process.memoryUsage().external
}

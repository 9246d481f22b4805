import { expect } from 'chai'
import { SharedCalls } from '../../../lib/models/shared-calls.ts'

describe('SharedCalls', () => {
  it('begins new work for a caller after the last caller has left, even if the old work has not ended', async () => {
    const calls = new SharedCalls<number>()
    const leaving = new AbortController()
    let begun = 0
    const left = calls
      .run('key', { signal: leaving.signal }, () => {
        begun++
        return new Promise<number>(() => {})
      })
      .catch(() => 'left')
    leaving.abort(new Error('left'))
    expect(await left).to.equal('left')
    expect(calls.has('key')).to.equal(false)
    const signal = new AbortController().signal
    expect(await calls.run('key', { signal }, async () => ++begun)).to.equal(2)
  })

  it('tells the position to all waiting callers, and to none that has left', async () => {
    const calls = new SharedCalls<void>()
    const leaving = new AbortController()
    const seen: string[] = []
    let tell: (position: number) => void = () => {}
    let end: () => void = () => {}
    const work = () => new Promise<void>((resolve) => (end = resolve))
    const waiting = (who: string, signal = new AbortController().signal) =>
      calls.run('key', { signal, onPosition: (position) => seen.push(`${who} ${position}`) }, (shared) => {
        tell = shared.tell
        return work()
      })
    const all = [waiting('a'), waiting('b', leaving.signal).catch(() => {})]
    tell(2)
    leaving.abort()
    await all[1]
    tell(1)
    end()
    await all[0]
    expect(seen).to.deep.equal(['a 2', 'b 2', 'a 1'])
  })
})

import { expect } from 'chai'
import { inOrder } from '../../../lib/library/in-order.ts'

describe('inOrder', () => {
  /** Work that is done when the test says so. */
  function heldWork() {
    const begun: number[] = []
    const ends = new Map<number, () => void>()
    const work = (item: number) =>
      new Promise<string>((resolve) => {
        begun.push(item)
        ends.set(item, () => resolve(`done ${item}`))
      })
    return { begun, work, end: (item: number) => ends.get(item)?.() }
  }

  it('gives results in the order of the items, whatever is done first', async () => {
    const { work, end, begun } = heldWork()
    const results = inOrder([0, 1, 2], 3, work)
    const first = results.next()
    await turns()
    expect(begun).to.deep.equal([0, 1, 2])
    for (const item of [2, 1, 0]) end(item)
    expect((await first).value).to.equal('done 0')
    expect(await collected(results)).to.deep.equal(['done 1', 'done 2'])
  })

  it('begins further work while the first item is slow, but keeps a bounded number of results', async () => {
    const { work, end, begun } = heldWork()
    const results = inOrder(counting(), 2, work)
    const first = results.next()
    await turns()
    expect(begun).to.deep.equal([0, 1])
    for (const item of [1, 2, 3]) {
      end(item)
      await turns()
    }
    // Four in all: item 0 in work, and three results that wait behind it.
    expect(begun).to.deep.equal([0, 1, 2, 3])
    end(0)
    expect((await first).value).to.equal('done 0')
    await results.return()
  })

  it('lets timers and sockets of the program be served although all items and results are there at once', async () => {
    let isServed = false
    setTimeout(() => {
      isServed = true
    }, 1)
    const end = performance.now() + 10_000
    for await (const _ of inOrder(counting(), 2, async (item) => item)) {
      if (isServed || performance.now() > end) break
    }
    expect(isServed).to.equal(true)
  })

  it('takes no items while the consumer is busy', async () => {
    let taken = 0
    const items = counting(() => taken++)
    const results = inOrder(items, 3, async (item) => item)
    await results.next()
    await turns()
    const before = taken
    await turns()
    expect(taken).to.equal(before).and.to.be.at.most(7)
    await results.return()
  })

  it('gives a result at once although the next item never comes', async () => {
    async function* stuck() {
      yield 1
      await new Promise(() => {})
    }
    const results = inOrder(stuck(), 4, async (item) => item)
    expect((await results.next()).value).to.equal(1)
    // Leaving does not wait for the item either.
    await results.return()
  })

  it('ends the list of items when the consumer leaves', async () => {
    let isEnded = false
    async function* items() {
      try {
        for (let item = 0; ; item++) yield item
      } finally {
        isEnded = true
      }
    }
    for await (const _ of inOrder(items(), 2, async (item) => item)) break
    await turns()
    expect(isEnded).to.equal(true)
  })

  it('gives the results of all items before the list failed, and then the failure', async () => {
    function* items() {
      yield 1
      yield 2
      throw new Error('the disk is gone')
    }
    const seen: number[] = []
    const run = async () => {
      for await (const result of inOrder(items(), 4, async (item) => item)) seen.push(result)
    }
    const error = await run().catch((error: unknown) => error)
    expect(seen).to.deep.equal([1, 2])
    expect(String(error)).to.contain('the disk is gone')
  })
})

function* counting(onTake: () => void = () => {}): Generator<number> {
  for (let item = 0; ; item++) {
    onTake()
    yield item
  }
}

async function collected<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = []
  for await (const item of items) all.push(item)
  return all
}

/** Enough turns of the event loop for everything that does not wait for something else. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve))
}

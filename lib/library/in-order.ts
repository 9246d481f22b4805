import { setImmediate as turn } from 'node:timers/promises'

/**
 * The results of `work` in the order of the items, with up to `atOnce` items in work. While the first item is slow, as many
 * results again may wait behind it. An item is taken from `items` only when there is room, so that a slow consumer slows
 * everything down and memory stays bounded. `work` must not reject.
 */
export async function* inOrder<Item, Result>(
  items: Iterable<Item> | AsyncIterable<Item>,
  atOnce: number,
  work: (item: Item, at: number) => Promise<Result>,
): AsyncGenerator<Result, void, undefined> {
  const iterator = iteratorOf(items)
  /** in the order of the items, in work or done */
  const line: Promise<Result>[] = []
  let inWork = 0
  let at = 0
  /** the next item, once there is room for it; never rejects */
  let next: Promise<Came<Item>> | undefined
  let isOver = false
  let failure: { readonly error: unknown } | undefined
  let changed = (): void => {}

  const hasRoom = () => !isOver && inWork < atOnce && line.length < 2 * atOnce
  const begin = (item: Item) => {
    inWork++
    const done = work(item, at++).finally(() => {
      inWork--
      changed()
    })
    line.push(done)
  }
  /** Resolves when an item has come, one in work is done, or the first result is there. */
  const change = () =>
    new Promise<'changed'>((resolve) => {
      changed = () => resolve('changed')
    })

  try {
    while (!isOver || line.length > 0) {
      if (next === undefined && hasRoom()) {
        // Items and results may all be there at once: without a turn, no timer, signal or socket of the program would be served.
        await turn()
        next = coming(iterator)
      }
      const [first] = line
      // The next item comes before the first result, so that the work goes on while the consumer is busy.
      const event = await Promise.race([
        ...(next ? [next] : []),
        ...(first ? [first.then((result) => ({ result }))] : []),
        change(),
      ])
      if (event === 'changed') continue
      if ('result' in event) {
        line.shift()
        yield event.result
        continue
      }
      next = undefined
      if ('item' in event && !event.item.done) begin(event.item.value)
      else isOver = true
      if ('error' in event) failure = event
    }
    if (failure) throw failure.error
  } finally {
    if (!isOver) await leave(iterator, next !== undefined)
  }
}

type Came<Item> = { readonly item: IteratorResult<Item> } | { readonly error: unknown }

async function coming<Item>(iterator: Source<Item>): Promise<Came<Item>> {
  try {
    return { item: await iterator.next() }
  } catch (error) {
    return { error }
  }
}

/** A generator that waits for its next item ends only after that item, which may never come. */
async function leave(iterator: Source<unknown>, isWaiting: boolean): Promise<void> {
  const left = Promise.resolve(iterator.return?.())
  if (isWaiting) left.catch(() => {})
  else await left
}

interface Source<Item> {
  next(): Promise<IteratorResult<Item>>
  return?(): unknown
}

function iteratorOf<Item>(items: Iterable<Item> | AsyncIterable<Item>): Source<Item> {
  if (Symbol.asyncIterator in items) return items[Symbol.asyncIterator]()
  const iterator = items[Symbol.iterator]()
  return { next: async () => iterator.next(), return: () => iterator.return?.() }
}

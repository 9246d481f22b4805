/**
 * The results of `work` in the order of the items, with up to `atOnce` items in work. An item is taken from `items` only
 * when there is room for it, so that a slow consumer slows everything down and memory stays bounded. `work` must not reject.
 */
export async function* inOrder<Item, Result>(
  items: Iterable<Item> | AsyncIterable<Item>,
  atOnce: number,
  work: (item: Item, at: number) => Promise<Result>,
): AsyncGenerator<Result, void, undefined> {
  const running: Promise<Result>[] = []
  let at = 0
  for await (const item of items) {
    running.push(work(item, at++))
    const first = running.length >= atOnce ? running.shift() : undefined
    if (first !== undefined) yield await first
  }
  for (let first = running.shift(); first !== undefined; first = running.shift()) yield await first
}

/** A first-in, first-out queue from which any item can be removed, at the same cost, when its caller goes away. */
export class Queue<Item extends { readonly key: string; readonly bytes: number }> {
  // A Map iterates in the order of insertion and deletes in constant time.
  readonly #items = new Map<string, Item>()
  // The sum of `bytes` over #items.
  #bytes = 0

  get size(): number {
    return this.#items.size
  }

  get bytes(): number {
    return this.#bytes
  }

  keys(): Iterable<string> {
    return this.#items.keys()
  }

  push(item: Item): void {
    this.#items.set(item.key, item)
    this.#bytes += item.bytes
  }

  peek(): Item | undefined {
    return this.#items.values().next().value
  }

  shift(): Item | undefined {
    const item = this.peek()
    if (item) this.remove(item.key)
    return item
  }

  remove(key: string): boolean {
    const item = this.#items.get(key)
    if (!item) return false
    this.#items.delete(key)
    this.#bytes -= item.bytes
    return true
  }
}

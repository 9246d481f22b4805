interface Event {
  readonly at: number
  /** events of the same time happen in the order in which they were set */
  readonly order: number
  readonly happen: () => void
}

/** Simulated time, in seconds: a binary heap of what is to happen. */
export class Clock {
  readonly #heap: Event[] = []
  #order = 0
  now = 0

  at(time: number, happen: () => void): void {
    const event = { at: Math.max(time, this.now), order: this.#order++, happen }
    let place = this.#heap.length
    this.#heap.push(event)
    while (place > 0) {
      const parent = (place - 1) >> 1
      const above = this.#heap[parent]
      if (above === undefined || isBefore(above, event)) break
      this.#heap[place] = above
      place = parent
    }
    this.#heap[place] = event
  }

  after(seconds: number, happen: () => void): void {
    this.at(this.now + seconds, happen)
  }

  runUntil(end: number): void {
    for (let next = this.#heap[0]; next !== undefined && next.at <= end; next = this.#heap[0]) {
      this.#removeFirst()
      this.now = next.at
      next.happen()
    }
    this.now = end
  }

  #removeFirst(): void {
    const last = this.#heap.pop()
    if (last === undefined || this.#heap.length === 0) return
    let place = 0
    for (;;) {
      let child = 2 * place + 1
      const [left, right] = [this.#heap[child], this.#heap[child + 1]]
      if (left === undefined) break
      if (right !== undefined && isBefore(right, left)) child++
      const least = child % 2 === 0 && right !== undefined ? right : left
      if (isBefore(last, least)) break
      this.#heap[place] = least
      place = child
    }
    this.#heap[place] = last
  }
}

function isBefore(one: Event, other: Event): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order)
}

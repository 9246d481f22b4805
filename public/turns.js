/** Runs a limited number of tasks at a time. The others wait in order. */
export class Turns {
  #free
  /** @type {(() => void)[]} */
  #waiting = []

  /** @param {number} most */
  constructor(most) {
    this.#free = most
  }

  /**
   * @template T
   * @param {() => Promise<T>} work
   */
  async run(work) {
    if (this.#free > 0) this.#free--
    else await /** @type {Promise<void>} */ (new Promise((resolve) => this.#waiting.push(resolve)))
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      if (next) next()
      else this.#free++
    }
  }
}

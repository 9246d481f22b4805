/** Lets so many do their work at a time, the others after them in their order. */
export class Turns {
  #free
  #waiting = []

  constructor(most) {
    this.#free = most
  }

  async run(work) {
    if (this.#free > 0) this.#free--
    else await new Promise((resolve) => this.#waiting.push(resolve))
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      if (next) next()
      else this.#free++
    }
  }
}

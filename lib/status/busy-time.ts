/**
 * The part of the time in which the children predicted. A batch tells how long it took when it is over, maybe seconds
 * after it began, so a long one is spread over the samples that follow; and while nothing comes from a child that has
 * had calls all the time, it is taken for busy, which its next batch then pays back.
 */
export class BusyTime {
  // Milliseconds of finished batches that no sample has shown yet; negative when more was shown than has finished.
  #balance = 0
  #hasEnded = false
  #heldBefore = 0

  /** A batch has ended, or a call of one: `ms` is its share. */
  add(ms: number): void {
    this.#balance += ms
    this.#hasEnded = true
  }

  /** Between 0 and 1, of all children together; `holding` are those that have calls now. */
  take(elapsedMs: number, holding: number, workers: number): number {
    const capacity = elapsedMs * Math.max(1, workers)
    const shown = this.#hasEnded
      ? Math.min(Math.max(this.#balance, 0), capacity)
      : Math.max(
          Math.min(Math.max(this.#balance, 0), capacity),
          elapsedMs * Math.min(holding, this.#heldBefore),
        )
    this.#balance -= shown
    // What never ends in a result pays nothing back, and a debt must not hide the work that follows.
    if (this.#hasEnded || holding === 0) this.#balance = Math.max(this.#balance, 0)
    this.#hasEnded = false
    this.#heldBefore = holding
    return shown / capacity
  }
}

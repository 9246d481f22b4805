/**
 * The part of the time in which the children were predicting. A batch reports its duration only at its end, maybe
 * seconds after its start, so a long batch is spread over the following samples. A child that holds calls but reports
 * nothing counts as busy in advance; the duration of its next batch is reduced by that advance.
 */
export class BusyTime {
  // Milliseconds of finished batches that no sample has shown yet; negative when more was shown than has finished.
  #balance = 0
  #hasEnded = false
  #heldBefore = 0

  /** Called when a call has ended; `ms` is the share of the call in the time of its batch. */
  add(ms: number): void {
    this.#balance += ms
    this.#hasEnded = true
  }

  /** From 0 to 1, for all children together; `holding` is the number of children that have calls now. */
  take(elapsedMs: number, holding: number, workers: number): number {
    const capacity = elapsedMs * Math.max(1, workers)
    const shown = this.#hasEnded
      ? Math.min(Math.max(this.#balance, 0), capacity)
      : Math.max(
          Math.min(Math.max(this.#balance, 0), capacity),
          elapsedMs * Math.min(holding, this.#heldBefore),
        )
    this.#balance -= shown
    // Drops an advance that no batch will reduce (its calls failed): a negative balance would hide later work.
    if (this.#hasEnded || holding === 0) this.#balance = Math.max(this.#balance, 0)
    this.#hasEnded = false
    this.#heldBefore = holding
    return shown / capacity
  }
}

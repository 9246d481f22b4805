import { readFile } from 'node:fs/promises'

/** Resident memory changes slowly, and each reading opens one file per child. */
const READ_EVERY_MS = 5000

/** Memory of the children of one model, read in the background so that no sample waits. NaN without /proc. */
export class ChildMemory {
  #bytes = Number.NaN
  // The processes that #bytes belongs to.
  #read = ''
  #readAt = Number.NEGATIVE_INFINITY
  #isReading = false

  /** The last reading of exactly these processes. Starts another reading when READ_EVERY_MS have passed. */
  bytes(pids: readonly number[], now: number): number {
    const processes = pids.join()
    const isOther = processes !== this.#read
    if (!this.#isReading && pids.length > 0 && (isOther || now - this.#readAt >= READ_EVERY_MS)) {
      this.#isReading = true
      this.#readAt = now
      void this.#readAll(pids).finally(() => {
        this.#isReading = false
      })
    }
    return isOther ? Number.NaN : this.#bytes
  }

  async #readAll(pids: readonly number[]): Promise<void> {
    const sizes = await Promise.all(pids.map(residentBytes))
    this.#bytes = sizes.reduce((sum, size) => sum + size, 0)
    this.#read = pids.join()
  }
}

/** From `status` rather than `statm`, because `statm` counts pages, and Node cannot tell the size of a page. */
async function residentBytes(pid: number): Promise<number> {
  try {
    const [, kib = ''] = /^VmRSS:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'latin1')) ?? []
    return kib === '' ? Number.NaN : Number(kib) * 1024
  } catch {
    return Number.NaN
  }
}

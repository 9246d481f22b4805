import { queueFull, tooLarge } from './failures.ts'

const FIRST_BYTES = 64 * 2 ** 10

/** What all downloads may hold together. */
export interface HeldBytes {
  readonly maxBytes: number
  heldBytes: number
}

/**
 * A body while it arrives. It is copied into one growing block: a list of chunks would let a server that sends a byte
 * at a time make us hold a hundred for each.
 */
export class Body {
  readonly #maxBytes: number
  readonly #memory: HeldBytes
  /** what its sender says; a promise and no fact, so no more is set aside than has arrived, twice over */
  readonly #declared: number
  #block = Buffer.alloc(0)
  #length = 0

  constructor(maxBytes: number, memory: HeldBytes, declared: number | undefined) {
    if (declared !== undefined && declared > maxBytes) throw tooLarge(maxBytes)
    this.#maxBytes = maxBytes
    this.#memory = memory
    this.#declared = declared ?? maxBytes
  }

  get length(): number {
    return this.#length
  }

  append(chunk: Buffer): void {
    const length = this.#length + chunk.length
    if (length > this.#maxBytes) throw tooLarge(this.#maxBytes)
    if (length > this.#block.length) this.#grow(length)
    chunk.copy(this.#block, this.#length)
    this.#length = length
  }

  /** The whole of it, without the room that was set aside in vain. */
  take(): Buffer {
    return this.#length === this.#block.length
      ? this.#block
      : Buffer.copyBytesFrom(this.#block, 0, this.#length)
  }

  /** Idempotent; must follow, however the download ended. */
  release(): void {
    this.#memory.heldBytes -= this.#block.length
    this.#block = Buffer.alloc(0)
  }

  #grow(needed: number): void {
    const roomy = Math.min(Math.max(2 * this.#block.length, FIRST_BYTES), this.#declared)
    const size = Math.max(needed, roomy)
    const { maxBytes, heldBytes } = this.#memory
    const held = heldBytes - this.#block.length + size
    if (held > maxBytes) {
      throw queueFull(`The images that are downloaded now hold more than ${maxBytes} bytes together.`)
    }
    this.#memory.heldBytes = held
    const block = Buffer.allocUnsafeSlow(size)
    this.#block.copy(block, 0, 0, this.#length)
    this.#block = block
  }
}

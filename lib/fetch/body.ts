import { queueFull, tooLarge } from './failures.ts'

const FIRST_BYTES = 64 * 2 ** 10

/** The memory budget that all downloads share. */
export interface HeldBytes {
  readonly maxBytes: number
  heldBytes: number
}

/**
 * A body while it arrives, copied into one growing block. A list of chunks would cost about a hundred bytes for each
 * byte of a server that sends one byte at a time.
 */
export class Body {
  readonly #maxBytes: number
  readonly #memory: HeldBytes
  /** the length that the sender declares; not trusted, so the block is at most twice what has arrived */
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

  /** The whole body, without the unused end of the block. */
  take(): Buffer {
    return this.#length === this.#block.length
      ? this.#block
      : Buffer.copyBytesFrom(this.#block, 0, this.#length)
  }

  /** Must be called however the download ended. Idempotent. */
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
      throw queueFull(`The running downloads need ${held} bytes of memory; their limit is ${maxBytes}.`)
    }
    this.#memory.heldBytes = held
    const block = Buffer.allocUnsafeSlow(size)
    this.#block.copy(block, 0, 0, this.#length)
    this.#block = block
  }
}

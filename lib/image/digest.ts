import { createHash } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'

/** Hashing this many bytes takes 0.1 ms with md5, the slower algorithm. */
const AT_ONCE_BYTES = 64 * 2 ** 10
/** Hashing this many bytes takes 0.7 ms. */
const SLICE_BYTES = 512 * 2 ** 10

/** One queue for the slices of all digests: a turn of the event loop hashes one slice, however many images arrive. */
let lastTurn: Promise<void> = Promise.resolve()

/** The hash in hexadecimal. A large input is hashed in slices, and the event loop runs between the slices. */
export async function digest(algorithm: 'sha256' | 'md5', bytes: Uint8Array): Promise<string> {
  const hash = createHash(algorithm)
  for (let at = 0; at < bytes.length; at += SLICE_BYTES) {
    if (bytes.length > AT_ONCE_BYTES) await myTurn()
    hash.update(bytes.subarray(at, at + SLICE_BYTES))
  }
  return hash.digest('hex')
}

function myTurn(): Promise<void> {
  lastTurn = lastTurn.then(() => nextTurn())
  return lastTurn
}

/** Below this size of a block, only bytes are left. */
const SMALLEST_BLOCK = 1

/**
 * Makes an input smaller and plainer as long as it still fails: cuts off the end, removes blocks, fills blocks with zeros.
 * Ends after `withinMs`, or when nothing is left to do. The last try may take longer.
 */
export async function minimised(
  input: Buffer,
  stillFails: (candidate: Buffer) => Promise<boolean>,
  withinMs: number,
): Promise<Buffer> {
  const end = performance.now() + withinMs
  let best = input
  const tried = async (candidate: Buffer): Promise<boolean> => {
    if (performance.now() >= end || candidate.equals(best) || !(await stillFails(candidate))) return false
    best = candidate
    return true
  }
  for (let size = Math.ceil(input.length / 2); size >= SMALLEST_BLOCK; size = Math.floor(size / 2)) {
    while (best.length > size && (await tried(best.subarray(0, best.length - size))));
    for (let at = 0; at < best.length; ) {
      if (performance.now() >= end) return best
      if (!(await tried(without(best, at, size)))) at += size
    }
  }
  for (let size = Math.ceil(best.length / 2); size >= SMALLEST_BLOCK; size = Math.floor(size / 2)) {
    for (let at = 0; at < best.length; at += size) {
      if (performance.now() >= end) return best
      await tried(Buffer.from(best).fill(0, at, Math.min(best.length, at + size)))
    }
  }
  return best
}

function without(input: Buffer, start: number, length: number): Buffer {
  return Buffer.concat([input.subarray(0, start), input.subarray(start + length)])
}

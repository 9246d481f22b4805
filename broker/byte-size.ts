// Counting stops after this many parts: the limit on bytes protects memory and need not be exact.
const MAX_PARTS = 10_000
const PART_BYTES = 16

/** How many bytes a value takes in the queue and on the pipe: exact for buffers, an estimate for the rest. */
export function byteSize(value: unknown): number {
  if (ArrayBuffer.isView(value)) return value.byteLength + PART_BYTES
  let bytes = 0
  let parts = 0
  const seen = new Set<object>()
  const rest: unknown[] = [value]
  while (rest.length > 0 && parts < MAX_PARTS) {
    const part = rest.pop()
    parts++
    bytes += PART_BYTES
    if (typeof part === 'string') bytes += part.length
    if (typeof part !== 'object' || part === null || seen.has(part)) continue
    seen.add(part)
    if (ArrayBuffer.isView(part) || part instanceof ArrayBuffer) bytes += part.byteLength
    else
      for (const inner of contents(part)) {
        if (rest.length >= MAX_PARTS) break
        rest.push(inner)
      }
  }
  return bytes
}

function contents(part: object): Iterable<unknown> {
  if (part instanceof Map || part instanceof Set || Array.isArray(part)) return part
  return Object.values(part)
}

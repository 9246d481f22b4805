/** A message may have this many values. A buffer counts as one. To walk this many takes 0.2 s at most. */
export const MAX_PLACES = 4_000_000
/** JSON.stringify overflows the stack at a few thousand levels. */
const MAX_DEPTH = 1000

/**
 * Whether a message has few enough values to walk it or to write it as JSON. A message of a few bytes can have an array of 2³² - 1
 * holes, or an object that contains another object twice, which contains a third one twice, and so on. Both would block the
 * event loop for minutes.
 */
export function hasFewPlaces(message: unknown): boolean {
  return countPlaces(message, new Map(), 0) <= MAX_PLACES
}

/** The number of values below this one; a shared value counts once per reference. Infinity for too many. */
function countPlaces(value: unknown, known: Map<object, number>, depth: number): number {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return 0
  const before = known.get(value)
  if (before !== undefined) return before
  if (depth > MAX_DEPTH || (Array.isArray(value) && value.length > MAX_PLACES))
    return Number.POSITIVE_INFINITY
  // An object within itself counts once: JSON.stringify throws an error for it.
  known.set(value, 0)
  let places = 0
  for (const part of partsOf(value)) {
    places += 1 + countPlaces(part, known, depth + 1)
    if (places > MAX_PLACES) return Number.POSITIVE_INFINITY
  }
  known.set(value, places)
  return places
}

function partsOf(value: object): Iterable<unknown> {
  if (Array.isArray(value) || value instanceof Set) return value
  return value instanceof Map ? [...value].flat() : Object.values(value)
}

/**
 * Does long work in slices and lets the event loop run in between, so that calls and answers pass while a large image is
 * resized. A slice should take a few milliseconds.
 */
export async function inSlices(
  length: number,
  slice: number,
  work: (start: number, end: number) => void | Promise<void>,
): Promise<void> {
  const step = Math.max(1, Math.trunc(slice))
  for (let start = 0; start < length; start += step) {
    if (start > 0) await new Promise((resolve) => setImmediate(resolve))
    await work(start, Math.min(start + step, length))
  }
}

// Pixels that may be decoded at once, three bytes each: a whole batch of phone photos (12 megapixels) in memory would be
// larger than the model. A single image above this limit is decoded alone.
const MAX_PIXELS_AT_ONCE = 36_000_000

const waiting: { pixels: number; enter: () => void }[] = []
let taken = 0

/** Runs `work` as soon as there is room for so many pixels, in order of arrival. */
export async function withRoomFor<Result>(pixels: number, work: () => Promise<Result>): Promise<Result> {
  if (waiting.length === 0 && fits(pixels)) taken += pixels
  else await new Promise<void>((enter) => waiting.push({ pixels, enter }))
  try {
    return await work()
  } finally {
    taken -= pixels
    letIn()
  }
}

function letIn(): void {
  for (let next = waiting[0]; next && fits(next.pixels); next = waiting[0]) {
    taken += next.pixels
    waiting.shift()
    next.enter()
  }
}

function fits(pixels: number): boolean {
  return taken === 0 || taken + pixels <= MAX_PIXELS_AT_ONCE
}

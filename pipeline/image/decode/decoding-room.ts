// Pixels that may be decoded at once, three bytes each: a batch of photographs from a telephone (12 megapixels) comes in
// at the same moment, and all of them in memory would be more than the model. A single larger image goes alone.
const MAX_PIXELS_AT_ONCE = 36_000_000

const waiting: { pixels: number; enter: () => void }[] = []
let taken = 0

/** Does `work` as soon as there is room for so many pixels, first come, first served. */
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

const INTERVAL_MS = 60_000

/** Counts events that clients cause, and says the count at most once a minute, because clients must not fill the log. */
export function seldom(say: (count: number) => void): () => void {
  let count = 0
  let timer: NodeJS.Timeout | undefined
  return () => {
    count++
    if (timer !== undefined) return
    say(count)
    count = 0
    timer = setTimeout(() => {
      timer = undefined
      if (count > 0) say(count)
      count = 0
    }, INTERVAL_MS).unref()
  }
}

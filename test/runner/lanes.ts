interface Alone {
  readonly alone: boolean
}

/**
 * Works on all parts: first on those that must run alone, one after the other, then on the others, `count` at a time.
 */
export async function lanes<Part extends Alone>(
  parts: readonly Part[],
  count: number,
  work: (part: Part) => Promise<void>,
): Promise<void> {
  for (const part of parts.filter(({ alone }) => alone)) await work(part)
  const rest = parts.filter(({ alone }) => !alone)
  const lane = async () => {
    for (let part = rest.shift(); part !== undefined; part = rest.shift()) await work(part)
  }
  await Promise.all(Array.from({ length: count }, lane))
}

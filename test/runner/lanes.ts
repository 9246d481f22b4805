interface Measuring {
  readonly measures: boolean
}

/**
 * Does the work on all parts, `count` at a time. Of those that measure, one at a time runs: they have the first lane,
 * and what they leave of it goes to the others.
 */
export async function lanes<Part extends Measuring>(
  parts: readonly Part[],
  count: number,
  work: (part: Part) => Promise<void>,
): Promise<void> {
  const measuring = parts.filter(({ measures }) => measures)
  const others = parts.filter(({ measures }) => !measures)
  const follow = async (queue: Part[]) => {
    for (let part = queue.shift(); part !== undefined; part = queue.shift()) await work(part)
  }
  const first = async () => {
    await follow(measuring)
    await follow(others)
  }
  await Promise.all([first(), ...Array.from({ length: count - 1 }, () => follow(others))])
}

/** Works on all parts, `count` at a time. */
export async function lanes<Part>(
  parts: readonly Part[],
  count: number,
  work: (part: Part) => Promise<void>,
): Promise<void> {
  const rest = [...parts]
  const lane = async () => {
    for (let part = rest.shift(); part !== undefined; part = rest.shift()) await work(part)
  }
  await Promise.all(Array.from({ length: count }, lane))
}

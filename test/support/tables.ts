/** The rows of the first table of a Markdown text that has this column, each under the names of the columns. */
export function tableWith(column: string, markdown: string): Record<string, string>[] {
  for (const block of markdown.split('\n\n')) {
    const [head = [], , ...rows] = block
      .trim()
      .split('\n')
      .map((line) =>
        line
          .split(/(?<!\\)\|/)
          .slice(1, -1)
          .map((cell) => cell.trim()),
      )
    if (!head.includes(column)) continue
    return rows.map((row) => Object.fromEntries(head.map((name, i) => [name, row[i] ?? ''])))
  }
  return []
}

export function toNumber(text: string | undefined): number {
  return Number(text?.replaceAll(',', '') ?? Number.NaN)
}

export type Row = readonly string[]

/** A table of Markdown whose cells are escaped: codes and names of models come from a server. */
export function markdownTable(head: Row, rows: readonly Row[]): string {
  const all = [head, head.map(() => '---'), ...rows.map((row) => row.map(escaped))]
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)))
  return all.map((row) => `| ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`).join('\n')
}

function escaped(cell: string): string {
  return cell.replace(/[\\|`*_<[\]]/g, '\\$&').replace(/\s+/g, ' ')
}

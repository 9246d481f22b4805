/**
 * The records of a CSV file, parsed strictly by RFC 4180: UTF-8, CRLF after every record, the same number of fields in
 * each, quotes only around fields that need them.
 */
export function parseCsv(bytes: Uint8Array): string[][] {
  const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  const records: string[][] = []
  let record: string[] = []
  let at = 0
  while (at < text.length) {
    const field = text[at] === '"' ? quotedField(text, at) : plainField(text, at)
    record.push(field.value)
    at = field.end
    if (text[at] === ',') {
      at++
      // A comma at the very end begins an empty field, which the loop does not reach.
      if (at === text.length) throw new Error('The file ends within a record.')
      continue
    }
    if (text.slice(at, at + 2) !== '\r\n')
      throw new Error(`No field or record ends at ${at}: ${near(text, at)}`)
    at += 2
    records.push(record)
    record = []
  }
  const widths = new Set(records.map(({ length }) => length))
  if (widths.size > 1) throw new Error(`Records have ${[...widths].join(' or ')} fields.`)
  return records
}

/** Removes the mark that keeps spreadsheets from running a text as a formula. */
export function originalText(cell: string): string {
  return cell.startsWith("'") ? cell.slice(1) : cell
}

function quotedField(text: string, start: number): { value: string; end: number } {
  let value = ''
  let at = start + 1
  for (;;) {
    const quote = text.indexOf('"', at)
    if (quote < 0) throw new Error(`The quote at ${start} is never closed: ${near(text, start)}`)
    value += text.slice(at, quote)
    if (text[quote + 1] !== '"') return { value, end: quote + 1 }
    value += '"'
    at = quote + 2
  }
}

function plainField(text: string, start: number): { value: string; end: number } {
  const [value = ''] = /^[^,"\r\n]*/.exec(text.slice(start)) ?? []
  return { value, end: start + value.length }
}

function near(text: string, at: number): string {
  return JSON.stringify(text.slice(Math.max(0, at - 40), at + 40))
}

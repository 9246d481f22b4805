// Unicode control characters except tab, CR and LF; and unpaired surrogates, which UTF-8 cannot encode.
const UNWRITABLE = /(?![\t\r\n])[\p{Cc}\p{Cs}]/gu
// A spreadsheet takes a text that begins like this for a formula, also after blanks and invisible characters. Some
// spreadsheets accept the full-width and small forms of = + - @ too.
const FORMULA = /^(?:[\t\r\n]|[\s\p{Cf}]*[=+\-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b])/u
// The semicolon is included because spreadsheets in half of Europe separate cells by semicolons.
const QUOTED = /[",;\r\n]|^\s|\s$/

/** One record of RFC 4180: commas between the cells, CRLF at the end, quotes where needed. */
export function csvLine(cells: readonly string[]): string {
  return `${cells.map(quote).join(',')}\r\n`
}

/**
 * A text that no spreadsheet takes for a formula: a text that looks like a formula or begins with an apostrophe gets an
 * apostrophe in front. A reader removes one leading apostrophe to get the original text. Characters that cannot be
 * written become U+FFFD.
 */
export function textCell(text: string): string {
  const writable = text.replace(UNWRITABLE, '\ufffd')
  return writable.startsWith("'") || FORMULA.test(writable) ? `'${writable}` : writable
}

function quote(cell: string): string {
  return QUOTED.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell
}

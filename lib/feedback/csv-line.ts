// All that Unicode counts as control, but for tab and the ends of lines; and halves of surrogate pairs, which UTF-8
// cannot say.
const UNWRITABLE = /(?![\t\r\n])[\p{Cc}\p{Cs}]/gu
// A spreadsheet would compute what begins like this, blanks and invisible characters before it or not. The wide and
// small forms of the four signs are taken for them where such keyboards are in use.
const FORMULA = /^(?:[\t\r\n]|[\s\p{Cf}]*[=+\-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b])/u
// The semicolon separates nothing here, but it does in the spreadsheets of half of Europe.
const QUOTED = /[",;\r\n]|^\s|\s$/

/** One record of RFC 4180: commas between, CRLF behind, quotes where they are needed. */
export function csvLine(cells: readonly string[]): string {
  return `${cells.map(quote).join(',')}\r\n`
}

/**
 * A text that no spreadsheet takes for a formula: what looks like one gets an apostrophe in front. What begins with an
 * apostrophe gets another, so that reading is simple: a cell that begins with an apostrophe loses it, and is then the
 * text that was sent. Only what cannot be written comes back as U+FFFD.
 */
export function textCell(text: string): string {
  const writable = text.replace(UNWRITABLE, '\ufffd')
  return writable.startsWith("'") || FORMULA.test(writable) ? `'${writable}` : writable
}

function quote(cell: string): string {
  return QUOTED.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell
}

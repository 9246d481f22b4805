import { HttpError } from '../http/errors.ts'

/** The number of characters of an address in a message. */
const SHOWN = 40
const MAX_HEAD = 256
const PERCENT = 0x25

/** The bytes of `data:image/png;base64,…`. The declared type is ignored: the first bytes tell the format. */
export function dataUriBytes(uri: string, maxBytes: number): Buffer {
  const comma = uri.slice(0, MAX_HEAD).indexOf(',')
  if (comma < 0) throw invalid(uri, 'has no comma before its data')
  const head = uri.slice('data:'.length, comma)
  const data = uri.slice(comma + 1)
  const bytes = /;\s*base64\s*$/i.test(head) ? fromBase64(data, uri) : fromPercent(data)
  if (bytes.length === 0) throw invalid(uri, 'has no data')
  if (bytes.length > maxBytes) {
    throw new HttpError('ERR_BODY_TOO_LARGE', `The image in a data URI must have at most ${maxBytes} bytes.`)
  }
  return bytes
}

/** Checks in one native pass: Buffer.from skips characters that are not base64, so the result is too short. */
function fromBase64(data: string, uri: string): Buffer {
  // A form or a query may have percent-encoded the characters +, / and =.
  const decoded = data.includes('%') ? decode(data, uri) : data
  const text = decoded.trimEnd().replace(/={1,2}$/, '')
  const bytes = Buffer.from(text, 'base64')
  const isWhole = text.length % 4 !== 1 && bytes.length === Math.floor((text.length * 3) / 4)
  if (!isWhole) throw invalid(uri, 'is not valid base64')
  return bytes
}

/** Each character and each %XX is one byte. A loop over bytes, because millions of regex matches would take seconds. */
function fromPercent(data: string): Buffer {
  const bytes = Buffer.from(data, 'latin1')
  let length = 0
  for (let at = 0; at < bytes.length; at++) {
    const high = bytes[at] === PERCENT ? hexDigit(bytes[at + 1]) : -1
    const low = high < 0 ? -1 : hexDigit(bytes[at + 2])
    bytes[length++] = low < 0 ? (bytes[at] ?? 0) : high * 16 + low
    if (low >= 0) at += 2
  }
  return bytes.subarray(0, length)
}

/** -1 if the character is no hexadecimal digit. */
function hexDigit(code = 0): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30
  const letter = code | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x61 + 10 : -1
}

function decode(data: string, uri: string): string {
  try {
    return decodeURIComponent(data)
  } catch {
    throw invalid(uri, 'has an invalid percent code')
  }
}

function invalid(uri: string, why: string): HttpError {
  return new HttpError('ERR_URL_INVALID', `The data URI "${uri.slice(0, SHOWN)}…" ${why}.`)
}

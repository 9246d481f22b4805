import { HttpError } from './errors.ts'

/** What is shown of an address in a message. */
const SHOWN = 40
const MAX_HEAD = 256

/** The bytes of `data:image/png;base64,…`. Its type is not looked at: the bytes themselves say what they are. */
export function dataUriBytes(uri: string, maxBytes: number): Buffer {
  const comma = uri.slice(0, MAX_HEAD).indexOf(',')
  if (comma < 0) throw invalid(uri, 'has no comma before its data')
  const head = uri.slice('data:'.length, comma)
  const data = uri.slice(comma + 1)
  const bytes = /;\s*base64\s*$/i.test(head) ? fromBase64(data, uri) : fromPercent(data)
  if (bytes.length === 0) throw invalid(uri, 'holds no data')
  if (bytes.length > maxBytes) {
    throw new HttpError('ERR_BODY_TOO_LARGE', `The image in a data URI must have at most ${maxBytes} bytes.`)
  }
  return bytes
}

function fromBase64(data: string, uri: string): Buffer {
  // A form or a query may have encoded the plus, the slash and the sign of equality once more.
  const text = data.includes('%') ? decode(data, uri) : data
  if (!/^[\w+/-]*={0,2}\s*$/.test(text)) throw invalid(uri, 'holds something that is no base64')
  return Buffer.from(text, 'base64')
}

/** Each character is one byte, each %XX another. */
function fromPercent(data: string): Buffer {
  const text = data.replace(/%[0-9a-f]{2}/gi, (code) =>
    String.fromCharCode(Number.parseInt(code.slice(1), 16)),
  )
  return Buffer.from(text, 'latin1')
}

function decode(data: string, uri: string): string {
  try {
    return decodeURIComponent(data)
  } catch {
    throw invalid(uri, 'holds a percent sign that encodes nothing')
  }
}

function invalid(uri: string, why: string): HttpError {
  return new HttpError('ERR_URL_INVALID', `The data URI "${uri.slice(0, SHOWN)}…" ${why}.`)
}

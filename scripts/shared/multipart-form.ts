import type { Picture } from './picture.ts'

const BOUNDARY = 'tandem-form-7d41c0f2a9'

export const FORM_TYPE = `multipart/form-data; boundary=${BOUNDARY}`

/** The body of a form with a picture as its only file. */
export function formWith(field: string, { bytes, name, type }: Picture): Buffer {
  // Browsers escape the same three characters of a file's name.
  const fileName = name.replaceAll('"', '%22').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
  const head = [
    `--${BOUNDARY}`,
    `Content-Disposition: form-data; name="${field}"; filename="${fileName}"`,
    `Content-Type: ${type}`,
    '',
    '',
  ]
  return Buffer.concat([Buffer.from(head.join('\r\n')), bytes, Buffer.from(`\r\n--${BOUNDARY}--\r\n`)])
}

export interface FilePart {
  readonly field: string
  /** the file's name on the client's disk; a browser sends '' when no file was chosen */
  readonly file: string
  readonly bytes: Buffer | string
}

export interface TextPart {
  readonly field: string
  readonly text: string
}

export interface Form {
  /** all headers of the client besides Host and Content-Length */
  readonly headers: readonly string[]
  readonly body: Buffer
}

export type Client = keyof typeof CLIENTS

const TYPES: Readonly<Record<string, string>> = {
  gif: 'image/gif',
  jpg: 'image/jpeg',
  png: 'image/png',
  txt: 'text/plain',
}

/** Escaping of names, boundaries, headers and the order of headers are those of the real clients. */
const CLIENTS = {
  chrome: {
    boundary: '----WebKitFormBoundaryJ7xQ0aBcD9eFgH1k',
    headers: [
      'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/75.0.3770.100 Safari/537.36',
      'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3',
      'Accept-Encoding: gzip, deflate',
    ],
    type: (file: string) => typeOf(file),
    name: (file: string) => percentQuotes(file),
  },
  firefox: {
    boundary: '---------------------------18467633426500',
    headers: [
      'User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:67.0) Gecko/20100101 Firefox/67.0',
      'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
      'Accept-Encoding: gzip, deflate',
    ],
    type: (file: string) => typeOf(file),
    name: (file: string) => file.replaceAll('"', '\\"'),
  },
  requests: {
    boundary: '0e4c8c1d9b3a4f6f8a7c2b1d5e9f0a3b',
    headers: [
      'User-Agent: python-requests/2.22.0',
      'Accept-Encoding: gzip, deflate',
      'Accept: */*',
      'Connection: keep-alive',
    ],
    // Without a Content-Type, unless the caller gives one: only the filename makes the part a file.
    type: () => undefined,
    name: (file: string) => percentQuotes(file),
  },
  curl: {
    boundary: '------------------------d74496d66958873e',
    headers: ['User-Agent: curl/7.64.1', 'Accept: */*'],
    type: (file: string) => typeOf(file),
    name: (file: string) => file.replaceAll('\\', '\\\\').replaceAll('"', '\\"'),
  },
} as const

export const CLIENT_NAMES = Object.keys(CLIENTS) as Client[]

/** The exact bytes of a form as sent by one of the clients of the older services. */
export function multipartAs(client: Client, ...parts: readonly (FilePart | TextPart)[]): Form {
  const { boundary, headers } = CLIENTS[client]
  const pieces = parts.flatMap((part) => [
    Buffer.from(`--${boundary}\r\n${headOf(part, client)}\r\n\r\n`),
    Buffer.from('file' in part ? part.bytes : part.text),
    Buffer.from('\r\n'),
  ])
  return {
    headers: [...headers, `Content-Type: multipart/form-data; boundary=${boundary}`],
    body: Buffer.concat([...pieces, Buffer.from(`--${boundary}--\r\n`)]),
  }
}

/** A form with one file, as in almost every request. */
export function fileAs(client: Client, field: string, bytes: Buffer | string, file = 'picture.png'): Form {
  return multipartAs(client, { field, file, bytes })
}

function headOf(part: FilePart | TextPart, client: Client): string {
  const { name, type } = CLIENTS[client]
  const disposition = `Content-Disposition: form-data; name="${part.field}"`
  if (!('file' in part)) return disposition
  const itsType = type(part.file)
  return [
    `${disposition}; filename="${name(part.file)}"`,
    ...(itsType === undefined ? [] : [`Content-Type: ${itsType}`]),
  ].join('\r\n')
}

function typeOf(file: string): string {
  return TYPES[file.slice(file.lastIndexOf('.') + 1)] ?? 'application/octet-stream'
}

function percentQuotes(file: string): string {
  return file.replaceAll('"', '%22').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}

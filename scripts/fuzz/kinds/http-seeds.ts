import { png } from '../../../test/support/image-files.ts'

/** The part of /openapi.json that says what to send. */
interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}

interface Operation {
  readonly parameters?: readonly { readonly in: string; readonly name: string }[]
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> }
}

interface Schema {
  readonly type?: unknown
  readonly format?: string
  readonly properties?: Readonly<Record<string, Schema>>
}

/** Without a port, so that an input does not depend on the port of the service. */
const HOST = 'Host: 127.0.0.1'
const BOUNDARY = 'x'
const PICTURE = png({ width: 8, height: 8, bits: 8, colour: 0, rows: Array(8).fill(Buffer.alloc(8, 90)) })
const DATA_URI = `data:image/png;base64,${PICTURE.toString('base64')}`
/** An address that the service refuses to open. */
const ADDRESS = 'http://127.0.0.1:1/x.png'

/** Requests to every route of a service, with every kind of body that the route takes. */
export async function httpSeeds(url: string): Promise<Buffer[]> {
  const { paths } = (await (await fetch(`${url}/openapi.json`)).json()) as Document
  const plain = Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).flatMap(([method, operation]) =>
      requests(method.toUpperCase(), path, operation),
    ),
  )
  const [first = Buffer.alloc(0), second = first] = plain
  return [...plain, Buffer.concat([first, second, first]), ...framed()]
}

function requests(method: string, path: string, { parameters = [], requestBody }: Operation): Buffer[] {
  const query = parameters.filter((one) => one.in === 'query').map(({ name }) => `${name}=${sample(name)}`)
  const target = path.replace(/\{\w+\}/g, 'picture')
  const line = `${method} ${target} HTTP/1.1`
  if (requestBody === undefined) {
    return [
      head([line, HOST]),
      head([`${method} ${target}?${query.join('&')} HTTP/1.1`, HOST, 'Accept: text/html']),
    ]
  }
  return Object.entries(requestBody.content).flatMap(([type, { schema }]) => {
    const fields = Object.entries(schema.properties ?? {})
    return bodiesOf(type, fields).map((body) => {
      const heads = [line, HOST, `Content-Type: ${contentType(type)}`, `Content-Length: ${body.length}`]
      return Buffer.concat([head(heads), body])
    })
  })
}

function bodiesOf(type: string, fields: readonly (readonly [string, Schema])[]): Buffer[] {
  if (type === 'application/json') {
    const value = Object.fromEntries(
      fields.map(([name]) => [name, name === 'images' ? [DATA_URI, ADDRESS] : sample(name)]),
    )
    return [Buffer.from(JSON.stringify(value))]
  }
  if (type === 'application/x-www-form-urlencoded') {
    const pairs = fields.map(([name]) => `${name}=${encodeURIComponent(sample(name))}`)
    return [Buffer.from(pairs.join('&'))]
  }
  if (type !== 'multipart/form-data') return [PICTURE]
  return fields.map(([name, { format }]) => form(name, format === 'binary'))
}

function form(name: string, isFile: boolean): Buffer {
  const file = isFile ? '; filename="a.png"\r\nContent-Type: image/png' : ''
  const start = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"${file}\r\n\r\n`
  const content = isFile ? PICTURE : Buffer.from(sample(name))
  return Buffer.concat([Buffer.from(start), content, Buffer.from(`\r\n--${BOUNDARY}--\r\n`)])
}

function contentType(type: string): string {
  if (type === 'multipart/form-data') return `${type}; boundary=${BOUNDARY}`
  return type === 'image/*' ? 'image/png' : type
}

function sample(field: string): string {
  if (field === 'url') return DATA_URI
  return { top: '3', model: 'picture', threshold: '0.5', since: '0' }[field] ?? 'x'
}

/** The same request in other frames. */
function framed(): Buffer[] {
  const chunk = `${PICTURE.length.toString(16)};ext=1\r\n`
  const chunked = [Buffer.from(chunk), PICTURE, Buffer.from('\r\n0\r\nTrailer: a\r\n\r\n')]
  return [
    Buffer.concat([head(['POST /picture HTTP/1.1', HOST, 'Transfer-Encoding: chunked']), ...chunked]),
    Buffer.concat([
      head(['POST /picture HTTP/1.1', HOST, 'Expect: 100-continue', `Content-Length: ${PICTURE.length}`]),
      PICTURE,
    ]),
    head(['GET /healthz HTTP/1.0']),
    head(['GET http://127.0.0.1/healthz HTTP/1.1', HOST]),
    head(['HEAD / HTTP/1.1', HOST]),
    head(['OPTIONS * HTTP/1.1', HOST]),
    head(['GET /style.css HTTP/1.1', HOST, 'Accept-Encoding: br, gzip', 'Range: bytes=0-10']),
  ]
}

function head(lines: readonly string[]): Buffer {
  return Buffer.from([...lines, '', ''].join('\r\n'), 'latin1')
}

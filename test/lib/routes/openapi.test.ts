import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import { expect } from 'chai'
import { type Service, scripted, startService } from '../../support/service.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

interface Described {
  summary: string
  tags: string[]
  operationId: string
  parameters: { name: string; in: string; schema: object }[]
  requestBody?: { content: Record<string, { schema: object }> }
  responses: Record<string, { description: string; content?: Record<string, { schema: object }> }>
}

interface Api {
  openapi: string
  paths: Record<string, Record<string, Described>>
}

interface Asked {
  readonly method: string
  readonly path: string
  readonly headers: Record<string, string>
  readonly body?: FormData | Buffer | string
}

const ANSWER = [
  { index: 1, label: 'a cat', name: 'a_cat', full: 'a cat, tom', wnid: 'n00000001', probability: 0.9 },
  { index: 0, label: 'dog', name: 'dog', full: 'dog', probability: 0.1 },
]
/** The inputs begin as a GIF does: some routes look at what is uploaded. */
const failing = (status: string) => `GIF89a ${status}`
const FAILURES = {
  [failing('413')]: 'ERR_IMAGE_TOO_LARGE',
  [failing('415')]: 'ERR_IMAGE_TYPE',
  [failing('422')]: 'ERR_IMAGE_DECODE',
  [failing('500')]: 'ERR_OF_ITS_OWN',
  [failing('502')]: 'ERR_CHILD_EXIT',
  [failing('503')]: 'ERR_QUEUE_FULL',
  [failing('504')]: 'ERR_DEADLINE',
}
const LARGE = 'x'.repeat(70_000)
/** What stands in the place of a parameter where there is something; STORED is an image that was just uploaded. */
const NAMES: Record<string, string> = {
  '/display/{file}': 'STORED',
  '/uploads/{file}': 'STORED',
  '/labels/{model}': 'model',
  '/public/{file}': 'style.css',
}
const QUERIES: Record<string, string> = { 400: '?top=0', 404: '?model=none' }
/** The first model has no features. */
const EMBED_QUERIES: Record<string, string> = { 400: '?normalize=maybe', 404: '?model=none' }
const defaultQuery = (path: string) => (path === '/embed' ? '?model=features' : '')
const REPORTS: Record<string, string> = { 400: ' ', 413: LARGE, 507: 'x'.repeat(2000) }
const FEATURES = { shape: [2, 2, 1], values: [1, 2, 3, 4] }
const KEY = 'a-key-of-the-test-0123'

describe('/openapi.json', () => {
  let service: Service
  let closed: Service
  let limited: Service
  let full: Service
  let broken: Service
  let crowded: Service
  let loading: Service
  let digitsOnly: Service
  let api: Api
  const ajv = new Ajv2020({ strict: false, validateFormats: false })
  const seen = new Set<string>()

  before(async function () {
    this.timeout(60_000)
    const folder = temporaryFolder()
    const classes = scripted({ answer: ANSWER, failures: FAILURES })
    const features = scripted({ answer: FEATURES, failures: FAILURES }).MODELS?.replace('model=', 'features=')
    const env = {
      ...classes,
      MODELS: `${classes.MODELS},${features}`,
      FEEDBACK_DIR: join(folder, 'feedback'),
    }
    const small = { MAX_BODY_BYTES: '64kb', BODY_TIMEOUT_MS: '300' }
    ;[service, closed, limited, full, broken, crowded, loading, digitsOnly] = await Promise.all([
      startService({ ...env, ...small }),
      startService({ ...env, API_KEYS: KEY }),
      startService({ ...env, RATE_LIMIT: '1' }),
      startService({ ...env, FEEDBACK_DIR: join(folder, 'full'), FEEDBACK_MAX_BYTES: '4kb' }),
      startService({ ...env, FEEDBACK_DIR: withPipe(join(folder, 'pipe')) }),
      startService({ ...env, MAX_QUEUE_BYTES: '1' }),
      startService(scripted({ startMs: 600_000 })),
      startService({ MODELS: 'digits' }),
    ])
    await Promise.all([service, closed, limited, full, broken, crowded].map((one) => one.ready()))
    api = (await (await fetch(`${service.url}/openapi.json`)).json()) as Api
  })
  after(() => {
    // It would wait for its model.
    loading.kill('SIGKILL')
    const others = [service, closed, limited, full, broken, crowded, digitsOnly]
    return Promise.all(others.map((one) => one.stop()))
  })

  it("leaves what the user's own pipeline answers with as it is, and takes it for features at /embed", async () => {
    const post = async (path: string) =>
      (await fetch(`${service.url}${path}`, { method: 'POST', body: 'GIF89a 1' })).json()
    expect(await post('/features')).to.deep.include({ model: 'features', prediction: FEATURES })
    expect(await post('/embed?model=features')).to.deep.include({ shape: [2, 2, 1], features: [1, 2, 3, 4] })
  })

  it('is OpenAPI 3.1 with schemas that can be used, and ids that are unique', () => {
    expect(api.openapi).to.equal('3.1.0')
    const ids = operations(api).map(({ operation }) => operation.operationId)
    expect(new Set(ids).size).to.equal(ids.length)
    for (const { operation } of operations(api)) {
      const contents = [operation.requestBody, ...Object.values(operation.responses)].flatMap((part) =>
        Object.values(part?.content ?? {}),
      )
      for (const { schema } of contents) ajv.compile(schema)
    }
  })

  it('describes every route of the contract', () => {
    const routes = operations(api).map(({ method, path }) => `${method} ${path}`)
    expect(routes).to.include.members([
      'get /',
      'post /',
      'get /vgg',
      'post /vgg',
      'get /model',
      'post /model',
      'get /api',
      'post /api/predict',
      'post /api/infer',
      'post /predictlabel',
      'post /api/predictlabel',
      'post /predict',
      'get /display/{file}',
      'post /embed',
      'get /models',
      'get /labels/{model}',
      'get /feedback',
      'post /feedback',
      'get /healthz',
      'get /readyz',
      'get /metrics',
      'get /openapi.json',
      'get /docs',
    ])
  })

  it('is true: each route gives the described answer for every described status', async function () {
    this.timeout(120_000)
    for (const { method, path, operation } of operations(api)) {
      for (const status of Object.keys(operation.responses)) {
        const response = await provoke(method, path, Number(status))
        await conforms(response, status, method, path, operation)
        seen.add(`${method} ${path} ${status}`)
      }
    }
    expect(seen.size).to.be.greaterThan(100)
  })

  it('is true for every form of a prediction', async () => {
    for (const type of ['application/json', 'text/html', 'text/plain', 'application/x-ndjson']) {
      const { response, operation } = await askFor('/vgg', type)
      expect(response.headers.get('Content-Type'), type).to.contain(type)
      await conforms(response, '200', 'post', '/vgg', operation)
    }
  })

  it('has no methods that a path does not support', async () => {
    for (const [path, its] of Object.entries(api.paths)) {
      const response = await fetch(service.url + path.replace('{file}', 'x.png'), { method: 'DELETE' })
      expect(response.status, path).to.equal(405)
      const allowed = response.headers.get('Allow')?.toLowerCase().split(', ')
      expect(allowed, path).to.include.members(Object.keys(its))
    }
  })

  async function askFor(path: string, type: string) {
    const asked = request('post', path, '200')
    const headers = { ...asked.headers, Accept: type }
    const response = await send(service, { ...asked, headers })
    const operation = api.paths[path]?.post
    if (operation === undefined) throw new Error(`${path} takes no POST`)
    return { response, operation }
  }

  /** An answer with this status from this route, by the means that such an answer comes about. */
  function provoke(method: string, path: string, status: number): Promise<Response> {
    const asked = request(method, path, String(status))
    const isFeedback = path === '/feedback'
    if (status === 401) return send(closed, asked)
    if (status === 403)
      return send(service, { ...asked, headers: { ...asked.headers, Origin: 'http://other.example' } })
    if (status === 408) return sendSlowly(service, asked)
    if (status === 429) return send(limited, asked).then(() => send(limited, asked))
    if (status === 500 && isFeedback) return send(broken, asked)
    if (status === 503 && path === '/readyz') return send(loading, asked)
    if (status === 503 && isFeedback) return send(crowded, asked)
    if (status === 503 && path === '/vgg' && method === 'get') return send(digitsOnly, asked)
    if (status === 507)
      return send(full, asked)
        .then(() => send(full, asked))
        .then(() => send(full, asked))
    return send(service, asked)
  }

  async function conforms(
    response: Response,
    status: string,
    method: string,
    path: string,
    operation: Described,
  ): Promise<void> {
    const what = `${method} ${path} ${status}`
    const text = await response.text()
    expect(String(response.status), `${what}: ${text.slice(0, 200)}`).to.equal(status)
    const { content } = operation.responses[status] ?? {}
    if (content === undefined) return
    const type = (response.headers.get('Content-Type') ?? '').split(';')[0] ?? ''
    const schema = (content[type] ?? content[`${type.split('/')[0]}/*`])?.schema
    expect(schema, `${what} came as ${type}`).not.to.equal(undefined)
    if (type !== 'application/json' || schema === undefined) return
    const validate: ValidateFunction = ajv.compile(schema)
    expect(validate(JSON.parse(text)), `${what}: ${text} ${JSON.stringify(validate.errors)}`).to.equal(true)
  }
})

function operations(api: Api) {
  return Object.entries(api.paths).flatMap(([path, its]) =>
    Object.entries(its).map(([method, operation]) => ({ method, path, operation })),
  )
}

/** A request that is right but for what makes it answer with this status. */
function request(method: string, path: string, status: string): Asked {
  const headers: Record<string, string> = { Accept: 'application/json' }
  if (method === 'get') {
    if (status === '200' && path in { '/': 1, '/status': 1 }) headers.Accept = '*/*'
    const its = status === '404' ? 'none' : (NAMES[path] ?? '')
    const query = status === '400' ? '?since=yesterday' : ''
    return { method, path: path.replace(/\{\w+\}/, its) + query, headers }
  }
  const query = (path === '/embed' ? EMBED_QUERIES[status] : QUERIES[status]) ?? defaultQuery(path)
  if (status === '406') headers.Accept = 'image/png'
  if (status === '415') headers['Content-Encoding'] = 'gzip'
  if (path === '/feedback') {
    headers['Content-Type'] = 'application/x-www-form-urlencoded'
    const report = REPORTS[status] ?? 'a dog'
    return { method, path, headers, body: `report=${report}` }
  }
  const content = status === '413' ? LARGE : failing(status)
  if (path === '/api/infer') {
    return { method, path: path + query, headers, body: JSON.stringify({ images: [`data:,${content}`] }) }
  }
  const form = new FormData()
  const field = path === '/' || path === '/predict' ? 'file' : 'image'
  if (status !== '302') form.append(field, new Blob([content]), 'picture.gif')
  return { method, path: path + query, headers, body: form }
}

async function send(service: Service, { method, path, headers, body }: Asked): Promise<Response> {
  const url = service.url + (path.includes('STORED') ? path.replace('STORED', await storedIn(service)) : path)
  return fetch(url, {
    method: method.toUpperCase(),
    headers,
    redirect: 'manual',
    ...(body !== undefined && { body }),
  })
}

/** The name of an image that has just been uploaded. */
async function storedIn(service: Service): Promise<string> {
  const form = new FormData()
  form.append('file', new Blob(['GIF89a stored']), 'picture.gif')
  const page = await (await fetch(service.url, { method: 'POST', body: form })).text()
  return /\/(?:display|uploads)\/([0-9a-f]{32}\.gif)/.exec(page)?.[1] ?? 'not-on-the-page'
}

/** Half of a body, and then nothing. */
function sendSlowly(service: Service, { path }: Asked): Promise<Response> {
  const { hostname, port } = new URL(service.url)
  const socket = connect(Number(port), hostname).setEncoding('utf8')
  socket.write(
    `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: image/gif\r\nContent-Length: 100\r\n\r\nGIF89a`,
  )
  return new Promise((resolve, reject) => {
    let received = ''
    socket.on('error', reject).on('close', () => reject(new Error(`closed after "${received}"`)))
    socket.on('data', (text) => {
      received += text
      const [head = '', body = ''] = received.split('\r\n\r\n', 2)
      const length = Number(/^content-length: (\d+)$/im.exec(head)?.[1] ?? Number.NaN)
      // The connection stays open a while for the rest of the request, which will not come.
      if (Buffer.byteLength(body) !== length) return
      const status = Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1])
      const type = /^content-type: (.*)$/im.exec(head)?.[1] ?? ''
      resolve(new Response(body, { status, headers: { 'Content-Type': type } }))
      socket.destroy()
    })
  })
}

/** A folder whose record is a pipe: no error of the disk, and nothing that the service could write to. */
function withPipe(folder: string): string {
  mkdirSync(folder)
  execFileSync('mkfifo', [join(folder, 'feedback.csv')])
  return folder
}

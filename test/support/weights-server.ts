import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { closeAfterRun } from './leftovers.ts'

/** The faults of a server with one file. Tests may change them between two requests. */
export interface ServerBehaviour {
  content: Buffer
  etag?: string | undefined
  lastModified?: string | undefined
  ignoresRange?: boolean
  /** breaks the connection after this many bytes of a body */
  cutAfter?: number | undefined
  /** Waits for the client, which drops what it has not written to its file when the connection ends. */
  beforeCut?: () => Promise<unknown>
  /** sends nothing more after this many bytes of a body */
  stallAfter?: number | undefined
  /** without Content-Length */
  chunked?: boolean
  status?: number
  location?: string
  headers?: Record<string, string>
  /** milliseconds between two pieces of a body, of 16 KiB each */
  slowMs?: number
}

export interface WeightsServer {
  url: string
  requests: IncomingMessage['headers'][]
  /** the number of bytes written into bodies */
  sent: number
  behaviour: ServerBehaviour
  close(): Promise<void>
}

const PIECE = 16 * 1024

export const md5 = (content: Buffer): string => createHash('md5').update(content).digest('hex')

export const sha256 = (content: Buffer): string => createHash('sha256').update(content).digest('hex')

/** Bytes that are the same in every run and do not repeat. */
export function bytesOf(length: number, seed = 1): Buffer {
  const parts: Buffer[] = []
  for (let at = 0, n = 0; at < length; at += 64, n++) {
    parts.push(createHash('sha512').update(`${seed} ${n}`).digest())
  }
  return Buffer.concat(parts).subarray(0, length)
}

export async function serveWeights(behaviour: ServerBehaviour): Promise<WeightsServer> {
  const state: WeightsServer = { url: '', requests: [], sent: 0, behaviour, close: async () => {} }
  const server = createServer((request, response) => {
    state.requests.push(request.headers)
    void answer(request, response, state).catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  state.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/weights.h5`
  const closed = closeAfterRun(() => state.close())
  state.close = async () => {
    closed()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  return state
}

async function answer(
  { headers, url }: IncomingMessage,
  response: ServerResponse,
  state: WeightsServer,
): Promise<void> {
  const { behaviour } = state
  if (behaviour.location !== undefined && url === '/weights.h5') {
    response.writeHead(302, { location: behaviour.location }).end()
    return
  }
  if (behaviour.status !== undefined) {
    response.writeHead(behaviour.status, behaviour.headers).end('<p>no</p>')
    return
  }
  const { content, etag, lastModified } = behaviour
  const own = {
    ...(etag === undefined ? {} : { etag }),
    ...(lastModified === undefined ? {} : { 'last-modified': lastModified }),
    ...behaviour.headers,
  }
  const from = offsetOf(headers, behaviour)
  if (from >= content.length && from > 0) {
    response.writeHead(416, { ...own, 'content-range': `bytes */${content.length}` }).end()
    return
  }
  const length = behaviour.chunked ? {} : { 'content-length': content.length - from }
  const range = { 'content-range': `bytes ${from}-${content.length - 1}/${content.length}` }
  response.writeHead(from > 0 ? 206 : 200, { ...own, ...length, ...(from > 0 ? range : {}) })
  await sendBody(response, content.subarray(from), state)
}

function offsetOf(
  headers: IncomingMessage['headers'],
  { ignoresRange, etag, lastModified }: ServerBehaviour,
): number {
  const from = Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0)
  const condition = headers['if-range']
  const isSame = condition === undefined || condition === etag || condition === lastModified
  return ignoresRange || !isSame ? 0 : from
}

async function sendBody(response: ServerResponse, body: Buffer, state: WeightsServer): Promise<void> {
  const { cutAfter = Infinity, stallAfter = Infinity, slowMs = 0 } = state.behaviour
  for (let at = 0; at < body.length && !response.destroyed; at += PIECE) {
    const piece = body.subarray(at, Math.min(at + PIECE, cutAfter, stallAfter))
    state.sent += piece.length
    if (piece.length > 0) await new Promise((resolve) => response.write(piece, resolve))
    if (at + PIECE >= stallAfter) return
    if (at + PIECE >= cutAfter) {
      await state.behaviour.beforeCut?.()
      response.destroy()
      return
    }
    if (slowMs > 0) await new Promise((resolve) => setTimeout(resolve, slowMs))
  }
  response.end()
}

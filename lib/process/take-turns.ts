import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** Browsers and libraries wait for an answer before they send the next request on a connection. */
const MAX_WAITING = 32
/** The headers of waiting requests stay in memory. */
const MAX_WAITING_BYTES = 64 * 1024
/** How long one turn of the event loop may begin requests. */
const TURN_MS = 5

interface Exchange {
  readonly req: IncomingMessage
  readonly res: ServerResponse
}

/** The requests of one connection, in their order. */
interface Line {
  readonly waiting: Exchange[]
  bytes: number
  isBusy: boolean
}

/**
 * Begins one request at a time on each connection, and few requests in each turn of the event loop.
 *
 * Node itself begins all pipelined requests of a packet at once, and the packets of all connections in one turn: 200
 * connections with 32 requests each would block the event loop for seconds, and 32 answers would wait for each client. Here,
 * the second request of a connection begins after the first request of every other connection.
 */
export function takeTurns(handler: RequestListener): RequestListener {
  const lines = new WeakMap<Socket, Line>()
  const turns = new Turns()

  return (req, res) => {
    const { socket } = req
    const line = lines.get(socket) ?? { waiting: [], bytes: 0, isBusy: false }
    lines.set(socket, line)
    if (!line.isBusy) return begin(line, { req, res })
    line.waiting.push({ req, res })
    line.bytes += headerBytes(req)
    if (line.waiting.length <= MAX_WAITING && line.bytes <= MAX_WAITING_BYTES) return
    socket.destroy()
    // Node still parses the rest of the packet.
    line.waiting.length = 0
    line.bytes = 0
  }

  function begin(line: Line, { req, res }: Exchange): void {
    line.isBusy = true
    res.once('close', () => next(line, req.socket))
    const isRead = req.method === 'GET' || req.method === 'HEAD'
    turns.take(() => {
      if (!req.socket.destroyed) handler(req, res)
    }, isRead)
  }

  function next(line: Line, socket: Socket): void {
    line.isBusy = false
    // After an answer with "Connection: close", Node sends no other answer.
    if (socket.destroyed || socket.writableEnded) line.waiting.length = 0
    const exchange = line.waiting.shift()
    if (exchange === undefined) return
    line.bytes -= headerBytes(exchange.req)
    begin(line, exchange)
  }
}

/**
 * Begins requests until they have taken TURN_MS of this turn of the event loop. The others wait for later turns: a request
 * that only reads, such as a page, alternates with one that brings a body, so that no page waits behind all predictions
 * that have arrived together, and no prediction behind all pages.
 */
class Turns {
  readonly #reads: (() => void)[] = []
  readonly #others: (() => void)[] = []
  #isReadNext = true
  // The time of the first request in this turn of the event loop; undefined before it.
  #begunAt: number | undefined

  take(begin: () => void, isRead: boolean): void {
    const now = performance.now()
    this.#open(now)
    const isOver = now - (this.#begunAt ?? now) >= TURN_MS
    const areWaiting = this.#reads.length > 0 || this.#others.length > 0
    if (!isOver && !areWaiting) begin()
    else if (isRead) this.#reads.push(begin)
    else this.#others.push(begin)
  }

  #open(now: number): void {
    if (this.#begunAt !== undefined) return
    this.#begunAt = now
    setImmediate(() => this.#turn())
  }

  /** Begins one waiting request per turn: the promises of its handler run only after this function has returned. */
  #turn(): void {
    this.#begunAt = undefined
    const begin = this.#next()
    if (begin === undefined) return
    this.#open(performance.now())
    begin()
  }

  #next(): (() => void) | undefined {
    const [first, second] = this.#isReadNext ? [this.#reads, this.#others] : [this.#others, this.#reads]
    this.#isReadNext = !this.#isReadNext
    return first.shift() ?? second.shift()
  }
}

function headerBytes({ url = '', rawHeaders }: IncomingMessage): number {
  return rawHeaders.reduce((sum, text) => sum + text.length, url.length)
}

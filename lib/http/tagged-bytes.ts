import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import type { Context } from './context.ts'

type Coding = 'br' | 'gzip' | 'identity'

/** The default quality saves a tenth more but takes ten times as long, and some pages are compressed per request. */
const BROTLI_QUALITY = 6
/** Smaller answers fit into one packet anyway. */
const SMALL_BYTES = 1024
const TAG_LENGTH = 22

const toBrotli = promisify(brotliCompress)
const toGzip = promisify(gzip)

/** Bytes that are sent many times. Each coding is made once, on the thread pool, when a client first needs it. */
export class TaggedBytes {
  /** identifies the bytes, in every coding */
  readonly hash: string
  readonly #plain: Buffer
  readonly #isCompressible: boolean
  readonly #made = new Map<Coding, Promise<Buffer>>()

  constructor(plain: Buffer, isCompressible = true, hash = hashOf(plain)) {
    this.hash = hash
    this.#plain = plain
    this.#isCompressible = isCompressible && plain.length >= SMALL_BYTES
  }

  /** Answers with the bytes in the best coding that the client accepts, or with 304 if the client has the bytes. */
  async send(ctx: Context, type: string): Promise<void> {
    ctx.status = 200
    // A weak ETag, because the tag is the same for every coding.
    ctx.set('ETag', `W/"${this.hash}"`)
    if (this.#isCompressible) ctx.vary('Accept-Encoding')
    if (ctx.fresh) {
      ctx.status = 304
      return
    }
    await sendCoded(ctx, type, this.#isCompressible, (coding) => this.#in(coding))
  }

  #in(coding: Coding): Promise<Buffer> {
    const made = this.#made.get(coding) ?? encode(this.#plain, coding)
    this.#made.set(coding, made)
    return made
  }
}

/** Answers with bytes that are sent only once: compressed, but without an ETag. */
export function sendOnce(ctx: Context, type: string, plain: Buffer): Promise<void> {
  const isCompressible = plain.length >= SMALL_BYTES
  ctx.status = 200
  if (isCompressible) ctx.vary('Accept-Encoding')
  return sendCoded(ctx, type, isCompressible, (coding) => encode(plain, coding))
}

/** 132 bits of SHA-256: short enough for a header, long enough that no two contents share a hash. */
export function hashOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('base64url').slice(0, TAG_LENGTH)
}

export function isCompressible(type: string): boolean {
  return /^text\/|svg|json/.test(type)
}

async function sendCoded(
  ctx: Context,
  type: string,
  mayCompress: boolean,
  bytesIn: (coding: Coding) => Promise<Buffer>,
): Promise<void> {
  const coding = mayCompress ? codingFor(ctx) : 'identity'
  const bytes = await bytesIn(coding)
  if (coding !== 'identity') ctx.set('Content-Encoding', coding)
  ctx.type = type
  ctx.body = bytes
}

/** The best coding that the client accepts. Browsers list br after gzip, but their order means no preference. */
function codingFor(ctx: Context): Coding {
  return (['br', 'gzip'] as const).find((coding) => ctx.acceptsEncodings(coding) === coding) ?? 'identity'
}

function encode(plain: Buffer, coding: Coding): Promise<Buffer> {
  if (coding === 'identity') return Promise.resolve(plain)
  if (coding === 'gzip') return toGzip(plain)
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY,
    [constants.BROTLI_PARAM_SIZE_HINT]: plain.length,
  }
  return toBrotli(plain, { params })
}

import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import type { Context } from './context.ts'

type Coding = 'br' | 'gzip' | 'identity'

/** The default takes ten times as long for a tenth less, and some of these bytes are made anew for whoever asks. */
const BROTLI_QUALITY = 6
/** Below this, what compressing saves is lost in the packet. */
const SMALL_BYTES = 1024

const toBrotli = promisify(brotliCompress)
const toGzip = promisify(gzip)

/** Bytes that are sent many times: each coding is made once, on the thread pool, when it is first asked for. */
export class Encoded {
  readonly #plain: Buffer
  readonly #isCompressible: boolean
  readonly #made = new Map<Coding, Promise<Buffer>>()

  constructor(plain: Buffer, isCompressible = true) {
    this.#plain = plain
    this.#isCompressible = isCompressible && plain.length >= SMALL_BYTES
  }

  /** Makes it the answer, in the best coding that the client takes. */
  async send(ctx: Context): Promise<void> {
    if (!this.#isCompressible) {
      ctx.body = this.#plain
      return
    }
    ctx.vary('Accept-Encoding')
    const coding = codingFor(ctx)
    const bytes = await this.#in(coding)
    if (coding !== 'identity') ctx.set('Content-Encoding', coding)
    ctx.body = bytes
  }

  #in(coding: Coding): Promise<Buffer> {
    const made = this.#made.get(coding) ?? this.#make(coding)
    this.#made.set(coding, made)
    return made
  }

  #make(coding: Coding): Promise<Buffer> {
    if (coding === 'identity') return Promise.resolve(this.#plain)
    if (coding === 'gzip') return toGzip(this.#plain)
    const params = {
      [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY,
      [constants.BROTLI_PARAM_SIZE_HINT]: this.#plain.length,
    }
    return toBrotli(this.#plain, { params })
  }
}

/** The best of those that the client takes: browsers name br after gzip, and mean no order by it. */
function codingFor(ctx: Context): Coding {
  return (['br', 'gzip'] as const).find((coding) => ctx.acceptsEncodings(coding) === coding) ?? 'identity'
}

export function compressible(type: string): boolean {
  return /^text\/|svg|json/.test(type)
}

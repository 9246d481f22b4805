import { LRUCache } from 'lru-cache'
import type { Config } from '../config/config.ts'
import { HttpError } from '../http/errors.ts'
import { digest } from './digest.ts'
import { type ImageKind, imageKind } from './image-kind.ts'

export interface RecentImage extends ImageKind {
  /** `<md5>.<extension>`, by its content alone */
  readonly file: string
  readonly md5: string
  readonly sha256: string
  readonly bytes: Uint8Array
}

export interface RecentImages {
  /** Undefined for what is no image, and for one that is too large to be kept. `sha256` saves computing it again. */
  put(bytes: Uint8Array, sha256?: string): Promise<RecentImage | undefined>
  get(file: string): RecentImage | undefined
  byMd5(md5: string): RecentImage | undefined
  bySha256(sha256: string): RecentImage | undefined
  close(): void
}

/** What an entry costs beside its bytes: without it, a flood of tiny images would hold many times the bound. */
const ENTRY_BYTES = 1024
/** A small buffer may be a corner of a large one, which it would keep alive; this many bytes are copied in no time. */
const COPIED_BYTES = 64 * 2 ** 10

/**
 * Images that a page shows once more, in memory alone and within a bound of bytes and age. The timers that drop what
 * has expired hold no process open. The bytes are kept as they are, not copied: nobody may write into them.
 */
export function createRecentImages(limits: Pick<Config, 'uploadMaxBytes' | 'uploadTtlMs'>): RecentImages {
  let closed = false
  // The image of an md5. Each entry belongs to an image in `images` and leaves with it. They are two tables because two
  // images of the same md5 can be made on purpose; a report must not confuse them.
  const byMd5 = new Map<string, string>()
  const images = new LRUCache<string, RecentImage>({
    maxSize: limits.uploadMaxBytes,
    sizeCalculation: ({ bytes }) => heldBytes(bytes),
    ttl: limits.uploadTtlMs,
    ttlAutopurge: true,
    dispose({ md5, sha256 }) {
      if (byMd5.get(md5) === sha256) byMd5.delete(md5)
    },
  })
  const named = (md5: string): RecentImage | undefined => {
    const sha256 = byMd5.get(md5)
    return sha256 === undefined ? undefined : images.get(sha256)
  }
  return {
    async put(given, knownSha256) {
      const kind = imageKind(given)
      if (kind === undefined || heldBytes(given) > limits.uploadMaxBytes) return undefined
      const sha256 = knownSha256 ?? (await digest('sha256', given))
      const md5 = images.peek(sha256)?.md5 ?? (await digest('md5', given))
      if (closed) return undefined
      const bytes = given.byteLength > COPIED_BYTES ? given : new Uint8Array(given)
      const image: RecentImage = { ...kind, file: `${md5}.${kind.extension}`, md5, sha256, bytes }
      images.set(sha256, image)
      byMd5.set(md5, sha256)
      return image
    },
    get(file) {
      const image = named(file.replace(/\..*$/s, ''))
      return image?.file === file ? image : undefined
    },
    byMd5: named,
    bySha256: (sha256) => images.get(sha256),
    close() {
      closed = true
      images.clear()
    },
  }
}

/** For an image that is no longer kept, or never was. */
export function noUpload(ttlMs: number): HttpError {
  const sentence = `There is no such upload; they are kept for ${Math.round(ttlMs / 1000)} s.`
  return new HttpError('ERR_NOT_FOUND', sentence)
}

/** A view keeps the whole of what it looks at. */
function heldBytes(bytes: Uint8Array): number {
  return ENTRY_BYTES + (bytes.byteLength > COPIED_BYTES ? bytes.buffer.byteLength : bytes.byteLength)
}

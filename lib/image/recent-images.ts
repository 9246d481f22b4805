import { RecentMap } from '../cache/recent-map.ts'
import type { Config } from '../config/config.ts'
import { HttpError } from '../http/errors.ts'
import { digest } from './digest.ts'
import { type ImageKind, imageKind } from './image-kind.ts'

export interface RecentImage extends ImageKind {
  /** `<md5>.<extension>`, made from the content alone */
  readonly file: string
  readonly md5: string
  readonly sha256: string
  readonly bytes: Uint8Array
}

export interface RecentImages {
  /** Undefined if the bytes are no image or too large to keep. A given `sha256` is not computed again. */
  put(bytes: Uint8Array, sha256?: string): Promise<RecentImage | undefined>
  get(file: string): RecentImage | undefined
  byMd5(md5: string): RecentImage | undefined
  bySha256(sha256: string): RecentImage | undefined
  close(): void
}

/** Overhead of an entry: if it did not count, many tiny images would take many times the bound. */
const ENTRY_BYTES = 1024
/** Up to this size, bytes are copied: a small buffer may be a view that keeps a large one alive. Copying is fast. */
const COPIED_BYTES = 64 * 2 ** 10

/**
 * Images that pages show again, in memory only, within bounds of size and age. Large images are not copied: the caller must not change the bytes later.
 */
export function createRecentImages(limits: Pick<Config, 'uploadMaxBytes' | 'uploadTtlMs'>): RecentImages {
  let closed = false
  // From md5 to sha256. Each entry belongs to an image in `images` and is removed with that image. The md5 is not the
  // key, because two images with the same md5 can be made on purpose and a report must not confuse the two.
  const byMd5 = new Map<string, string>()
  const images = new RecentMap<RecentImage>({
    maxSize: limits.uploadMaxBytes,
    sizeOf: ({ bytes }) => heldBytes(bytes),
    ttlMs: limits.uploadTtlMs,
    removed({ md5, sha256 }) {
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
  const sentence = `There is no such upload; uploads are kept for ${Math.round(ttlMs / 1000)} s.`
  return new HttpError('ERR_NOT_FOUND', sentence)
}

/** A view keeps its whole buffer in memory. */
function heldBytes(bytes: Uint8Array): number {
  return ENTRY_BYTES + (bytes.byteLength > COPIED_BYTES ? bytes.buffer.byteLength : bytes.byteLength)
}

/** The published checksum of a file: of the two, a file has at most one. */
export interface Published {
  readonly md5?: string | undefined
  readonly sha256?: string | undefined
}

export interface Checksum {
  readonly algorithm: 'md5' | 'sha256'
  readonly digest: string
}

/** Missing where no checksum is published. */
export function checksumOf({ md5, sha256 }: Published): Checksum | undefined {
  if (md5 !== undefined) return { algorithm: 'md5', digest: md5 }
  return sha256 === undefined ? undefined : { algorithm: 'sha256', digest: sha256 }
}

/** As it stands in messages. */
export const checksumWords = ({ algorithm, digest }: Checksum): string =>
  `${algorithm === 'md5' ? 'MD5' : 'SHA-256'} ${digest}`

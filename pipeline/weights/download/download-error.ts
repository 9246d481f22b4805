import { PipelineError } from '../../errors.ts'

/**
 * Why a download failed: the network (a retry may succeed in a minute), the server's answer (such as 404), the content
 * (all bytes came, but they are wrong), or the disk.
 */
export type DownloadFailure = 'network' | 'answer' | 'content' | 'disk'

/** One attempt has failed. The bytes received so far are kept, unless their content is wrong. */
export class DownloadError extends PipelineError {
  readonly kind: DownloadFailure

  constructor(kind: DownloadFailure, message: string, options?: ErrorOptions) {
    super('ERR_WEIGHTS_DOWNLOAD', message, options)
    this.kind = kind
  }
}

/** The innermost message, since fetch itself only says "fetch failed". */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  // A host with several addresses gives an AggregateError without a message, with one error for each address.
  const [first] = error instanceof AggregateError ? (error.errors as unknown[]) : []
  if (first !== undefined) return reasonOf(first)
  return error.cause instanceof Error ? reasonOf(error.cause) : error.message || error.name
}

/** A URL for messages, without user, password and query: a mirror's URL may hold a password or a signature. */
export function shownUrl(url: string | URL): string {
  const { protocol, host, pathname } = new URL(url)
  return `${protocol}//${host}${pathname}`
}

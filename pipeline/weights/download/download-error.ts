import { PipelineError } from '../../errors.ts'

/**
 * Why a download failed: the network (the same may work in a minute), the server's answer (it has no such file), the
 * content (all bytes came, and are the wrong ones), the disk.
 */
export type DownloadFailure = 'network' | 'answer' | 'content' | 'disk'

/** One attempt has failed; what came so far is kept, unless its content was found to be wrong. */
export class DownloadError extends PipelineError {
  readonly kind: DownloadFailure

  constructor(kind: DownloadFailure, message: string, options?: ErrorOptions) {
    super('ERR_WEIGHTS_DOWNLOAD', message, options)
    this.kind = kind
  }
}

/** The innermost message: fetch itself only says "fetch failed". */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  // One host with several addresses fails once for each, under a message that is empty.
  const [first] = error instanceof AggregateError ? (error.errors as unknown[]) : []
  if (first !== undefined) return reasonOf(first)
  return error.cause instanceof Error ? reasonOf(error.cause) : error.message || error.name
}

/** An address as it may be shown to anybody: a mirror's may hold a password or a signature. */
export function shownUrl(url: string | URL): string {
  const { protocol, host, pathname } = new URL(url)
  return `${protocol}//${host}${pathname}`
}

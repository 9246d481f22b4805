import { PipelineError, type PipelineErrorCode } from './errors.ts'
import { UnwritableError } from './graph/write-model.ts'

/** What is wrong with a file or a setting stays wrong until somebody changes it. */
const PERMANENT: ReadonlySet<PipelineErrorCode> = new Set([
  'ERR_MODEL_LOAD',
  'ERR_MODEL_UNSUPPORTED',
  'ERR_MODEL_SETTINGS',
])
/** The machine is short of something, and may have it again in a minute. */
const SHORTAGES: ReadonlySet<unknown> = new Set([
  'EAGAIN',
  'EBUSY',
  'EDQUOT',
  'EIO',
  'EMFILE',
  'ENFILE',
  'ENOMEM',
  'ENOSPC',
  'ERR_WORKER_OUT_OF_MEMORY',
])
// What native libraries say when there is no memory for them; they have no code for it.
const NO_MEMORY = /bad_alloc|out of memory|failed to allocate/i

/** Marks an error that the same files would bring about again, and says which files these are. */
export async function markPermanent(error: unknown, files: () => Promise<string[]>): Promise<unknown> {
  if (!(error instanceof PipelineError) || !PERMANENT.has(error.code) || isShortage(error)) return error
  return Object.assign(error, { permanent: true, watch: await files() })
}

function isShortage(error: Error): boolean {
  if (error instanceof UnwritableError) return true
  if (SHORTAGES.has((error as NodeJS.ErrnoException).code) || NO_MEMORY.test(error.message)) return true
  return error.cause instanceof Error && isShortage(error.cause)
}

import { PipelineError, type PipelineErrorCode } from './errors.ts'
import { UnwritableError } from './graph/write-model.ts'

/** A damaged file and a wrong setting stay wrong until the user changes them. */
const PERMANENT: ReadonlySet<PipelineErrorCode> = new Set([
  'ERR_MODEL_LOAD',
  'ERR_MODEL_UNSUPPORTED',
  'ERR_MODEL_SETTINGS',
  'ERR_NOT_QUANTIZED',
])
/** The machine is short of memory, disk or files, perhaps only for a minute: these errors are not permanent. */
const SHORTAGES: ReadonlySet<unknown> = new Set([
  'EAGAIN',
  'EBUSY',
  'EDQUOT',
  'EIO',
  'EMFILE',
  'ENFILE',
  'ENOMEM',
  'ENOSPC',
  'EROFS',
  'ERR_WORKER_INIT_FAILED',
  'ERR_WORKER_OUT_OF_MEMORY',
])
// Native libraries report a lack of memory without a code.
const NO_MEMORY = /bad_alloc|out of memory|failed to allocate|cannot enlarge memory|\(OOM\)/i

/** Marks an error that the same files would cause again, with the files for the broker to watch. */
export async function markPermanent(error: unknown, files: () => Promise<string[]>): Promise<unknown> {
  if (!(error instanceof PipelineError) || !PERMANENT.has(error.code) || isShortage(error)) return error
  return Object.assign(error, { permanent: true, watch: await files() })
}

function isShortage(error: Error): boolean {
  if (error instanceof UnwritableError) return true
  if (SHORTAGES.has((error as NodeJS.ErrnoException).code) || NO_MEMORY.test(error.message)) return true
  return error.cause instanceof Error && isShortage(error.cause)
}

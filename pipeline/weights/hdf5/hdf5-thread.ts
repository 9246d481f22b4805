import { parentPort, workerData } from 'node:worker_threads'
import { PipelineError } from '../../errors.ts'
import type { FromReader, ReaderData, ToReader } from './hdf5-calls.ts'
import { Hdf5File } from './hdf5-file.ts'

/*
 * The thread that Hdf5Reader starts and ends. It reads one file, with one call at a time.
 */
const opening = Hdf5File.open((workerData as ReaderData).window)

opening.then(
  () => answer({ kind: 'result', value: undefined }),
  (error: unknown) => answer(failure(error)),
)

parentPort?.on('message', async ({ method, args }: ToReader) => {
  try {
    const file = await opening
    const call = file[method] as (this: Hdf5File, ...args: readonly unknown[]) => unknown
    answer({ kind: 'result', value: call.apply(file, [...args]) })
  } catch (error) {
    answer(failure(error))
  }
})

function answer(message: FromReader): void {
  parentPort?.postMessage(message)
}

function failure(error: unknown): FromReader {
  const code =
    error instanceof PipelineError && error.code === 'ERR_MODEL_UNSUPPORTED' ? error.code : 'ERR_MODEL_LOAD'
  return { kind: 'failure', code, message: error instanceof Error ? error.message : String(error) }
}

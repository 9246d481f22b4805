import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { PipelineError } from '../../errors.ts'
import type { FileWindow } from '../source/file-window.ts'
import { loadError } from '../source/model-file-error.ts'
import { blocks } from './hdf5-blocks.ts'
import type { Arguments, FromReader, Hdf5Method, ReaderData, Result, ToReader } from './hdf5-calls.ts'
import type { Hdf5Dataset } from './hdf5-dataset.ts'

/**
 * The library goes round in circles for ever in some damaged files, for one where the length of a text is wrong. A call
 * reads 4 MB or unpacks a chunk, which takes milliseconds of computing. It is the computing that is limited and not the
 * time that passes: on a busy machine or a slow disk a sound file may take minutes.
 */
const MAX_CALL_CPU_MS = 10_000
const LOOK_EVERY_MS = 250

/**
 * An HDF5 file that is read in a thread of its own, since nothing else can stop the library when it hangs. When the
 * thread ends, all memory that the library took is free again.
 */
export class Hdf5Reader {
  readonly name: string
  readonly #worker: Worker
  readonly #limitMs: number
  /** Settles when the thread is free for the next call; never rejects. */
  #turn: Promise<unknown> = Promise.resolve()
  /** Who waits for the answer to come. */
  #waiting: { resolve(answer: FromReader): void; reject(reason: PipelineError): void } | undefined
  /** Why no call can be made any more. */
  #ended: PipelineError | undefined

  static async open(window: FileWindow, limitMs = MAX_CALL_CPU_MS): Promise<Hdf5Reader> {
    const reader = new Hdf5Reader(window, limitMs)
    try {
      await reader.#next(() => undefined)
      return reader
    } catch (error) {
      reader.close()
      throw error
    }
  }

  private constructor(window: FileWindow, limitMs: number) {
    this.name = window.name
    this.#limitMs = limitMs
    this.#worker = startThread({ window })
    this.#worker.on('message', (answer: FromReader) => this.#waiting?.resolve(answer))
    this.#worker.on('error', (cause) =>
      this.#end(loadError(`${this.name} could not be read: ${cause.message}.`, cause)),
    )
    this.#worker.on('exit', () =>
      this.#end(loadError(`${this.name} could not be read: its thread has ended.`)),
    )
  }

  isGroup(path: string): Promise<boolean> {
    return this.#call('isGroup', path)
  }

  members(path: string): Promise<string[]> {
    return this.#call('members', path)
  }

  attributeNames(path: string): Promise<readonly string[]> {
    return this.#call('attributeNames', path)
  }

  texts(path: string, name: string): Promise<string[] | undefined> {
    return this.#call('texts', path, name)
  }

  dataset(path: string): Promise<Hdf5Dataset | undefined> {
    return this.#call('dataset', path)
  }

  probe(dataset: Hdf5Dataset): Promise<void> {
    return this.#call('probe', dataset)
  }

  /** Reads an array block by block, in order. What a block holds is only there until the next one is read. */
  async read(dataset: Hdf5Dataset, take: (values: Float32Array, at: number) => void): Promise<void> {
    const all = blocks(dataset.shape, dataset.elementBytes, dataset.chunks)
    const largest = all.reduce((most, { elements }) => Math.max(most, elements), 0)
    // One piece of memory that both threads see, instead of one more for each block.
    const shared = new Float32Array(new SharedArrayBuffer(4 * largest))
    let at = 0
    for (const block of all) {
      await this.#call('readBlock', dataset, block, shared)
      take(shared.subarray(0, block.elements), at)
      at += block.elements
    }
  }

  close(): void {
    this.#end(loadError(`${this.name} has been closed.`))
  }

  #call<Method extends Hdf5Method>(method: Method, ...args: Arguments<Method>): Promise<Result<Method>> {
    const result = this.#turn.then(() =>
      this.#next(() => this.#worker.postMessage({ method, args } satisfies ToReader)),
    )
    this.#turn = result.catch(() => undefined)
    return result as Promise<Result<Method>>
  }

  /** Sends something, and waits for the one answer to it. */
  async #next(send: () => void): Promise<unknown> {
    if (this.#ended) throw this.#ended
    this.#worker.ref()
    // Of the whole process, since Node 20 cannot tell the threads apart: while a call lasts, the others only wait.
    const before = process.cpuUsage()
    const timer = setInterval(() => {
      const { user, system } = process.cpuUsage(before)
      if ((user + system) / 1000 > this.#limitMs) this.#end(this.#endless())
    }, LOOK_EVERY_MS)
    try {
      const answer = await new Promise<FromReader>((resolve, reject) => {
        this.#waiting = { resolve, reject }
        send()
      })
      if (answer.kind === 'result') return answer.value
      throw new PipelineError(answer.code, answer.message)
    } finally {
      clearInterval(timer)
      this.#waiting = undefined
      // A model that nobody closes does not keep the process.
      this.#worker.unref()
    }
  }

  #endless(): PipelineError {
    return loadError(
      `${this.name} is damaged: one call for a part of it took more than ${this.#limitMs} ms of computing.`,
    )
  }

  #end(reason: PipelineError): void {
    if (this.#ended) return
    this.#ended = reason
    this.#waiting?.reject(reason)
    void this.#worker.terminate()
  }
}

function startThread(workerData: ReaderData): Worker {
  const options = { workerData, name: 'hdf5', execArgv: [], env: {} }
  if (!import.meta.url.endsWith('.ts'))
    return new Worker(new URL('./hdf5-thread.js', import.meta.url), options)
  // A thread does not inherit what makes this process understand TypeScript.
  const tsx = createRequire(import.meta.url).resolve('tsx/cjs/api')
  const file = fileURLToPath(new URL('./hdf5-thread.ts', import.meta.url))
  const code = `require(${JSON.stringify(tsx)}).register(); require(${JSON.stringify(file)})`
  return new Worker(code, { ...options, eval: true })
}

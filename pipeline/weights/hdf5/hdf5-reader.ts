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
 * The library never ends for some damaged files, such as one with a wrong length of a text. A call reads 4 MB or
 * unpacks a chunk, which takes milliseconds of CPU time. CPU time is limited rather than elapsed time, since a sound
 * file may take minutes on a busy machine or a slow disk.
 */
const MAX_CALL_CPU_MS = 10_000
const LOOK_EVERY_MS = 250

/**
 * Reads an HDF5 file in a thread of its own: only ending the thread can stop the library when it hangs, and frees all
 * of the library's memory.
 */
export class Hdf5Reader {
  readonly name: string
  readonly #worker: Worker
  readonly #limitMs: number
  /** Settles when the thread is free for the next call; never rejects. */
  #turn: Promise<unknown> = Promise.resolve()
  /** The promise of the call in progress. */
  #waiting: { resolve(answer: FromReader): void; reject(reason: PipelineError): void } | undefined
  /** Why no further call is possible. */
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

  /** Reads an array block by block, in order. `values` is valid only during `take`: the next block overwrites it. */
  async read(dataset: Hdf5Dataset, take: (values: Float32Array, at: number) => void): Promise<void> {
    const all = blocks(dataset.shape, dataset.elementBytes, dataset.chunks)
    const largest = all.reduce((most, { elements }) => Math.max(most, elements), 0)
    // Memory that both threads share, so that no block is copied between them.
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

  /** Sends a message and waits for its answer. */
  async #next(send: () => void): Promise<unknown> {
    if (this.#ended) throw this.#ended
    this.#worker.ref()
    // The CPU time of the whole process, since Node 20 cannot measure one thread: other threads only wait during a
    // call.
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
      // An idle reader must not keep the process alive.
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
  // A new thread does not inherit tsx, which lets this process load TypeScript.
  const tsx = createRequire(import.meta.url).resolve('tsx/cjs/api')
  const file = fileURLToPath(new URL('./hdf5-thread.ts', import.meta.url))
  const code = `require(${JSON.stringify(tsx)}).register(); require(${JSON.stringify(file)})`
  return new Worker(code, { ...options, eval: true })
}

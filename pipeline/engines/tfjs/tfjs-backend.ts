import { PipelineError } from '../../errors.ts'
import { restoreNodeUtil } from './restore-node-util.ts'

/** The exports of tfjs-core; the native packages export these and more. */
export type TensorFlow = typeof import('@tensorflow/tfjs-core')

export interface Backend {
  readonly tf: TensorFlow
  /** `cuda`, `cpu` or `wasm`. */
  readonly device: string
}

type ImportPackage = (name: string) => Promise<unknown>

// The fastest first. Named by variables typed as string, since these packages are optional: compilers and bundlers must
// not look for them.
const NATIVE_PACKAGES: readonly string[] = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node']
const CORE_PACKAGE: string = '@tensorflow/tfjs-core'
const WASM_PACKAGE: string = '@tensorflow/tfjs-backend-wasm'

/** The fastest TensorFlow.js that is installed: native on a GPU, native, WebAssembly. */
export async function openBackend(
  threads: number,
  importPackage: ImportPackage = (name) => import(name),
): Promise<Backend> {
  for (const name of NATIVE_PACKAGES) {
    const backend = await nativeBackend(name, importPackage)
    if (backend) return backend
  }
  return wasmBackend(threads, importPackage)
}

async function nativeBackend(name: string, importPackage: ImportPackage): Promise<Backend | undefined> {
  restoreNodeUtil()
  try {
    const tf = namespaceOf(await importPackage(name)) as TensorFlow
    await tf.ready()
    const { isUsingGpuDevice } = tf.backend() as { isUsingGpuDevice?: boolean }
    return { tf, device: isUsingGpuDevice ? 'cuda' : 'cpu' }
  } catch (error) {
    // The usual reason: npm did not run the package's install script, which downloads the library.
    if (!isMissing(error, name)) {
      process.emitWarning(`${name} is installed, but cannot be loaded: ${firstLine(error)}`)
    }
    return undefined
  }
}

/**
 * WebAssembly runs on one thread: the backend's binary for several threads is not used under Node, and ends the process
 * when forced. Plain JavaScript is not offered: it needs as many packages as WebAssembly, and minutes for an image.
 */
async function wasmBackend(threads: number, importPackage: ImportPackage): Promise<Backend> {
  try {
    const tf = namespaceOf(await importPackage(CORE_PACKAGE)) as TensorFlow
    // Turns off hints on stderr to install the native packages, and checks that the compiler has done already.
    tf.enableProdMode()
    const wasm = namespaceOf(await importPackage(WASM_PACKAGE)) as { setThreadsCount(threads: number): void }
    wasm.setThreadsCount(threads)
    const listeners = processListeners()
    if (!(await tf.setBackend('wasm'))) throw new Error('the WebAssembly backend does not start')
    removeListenersBut(listeners)
    return { tf, device: 'wasm' }
  } catch (error) {
    const why =
      isMissing(error, CORE_PACKAGE) || isMissing(error, WASM_PACKAGE) ? '' : ` (${firstLine(error)})`
    throw new PipelineError(
      'ERR_ENGINE',
      `The engine tfjs needs TensorFlow.js${why}: npm install @tensorflow/tfjs-node --ignore-scripts=false for the native one, or npm install ${CORE_PACKAGE} ${WASM_PACKAGE} for WebAssembly.`,
      { cause: error },
    )
  }
}

const CRASH_EVENTS = ['uncaughtException', 'unhandledRejection'] as const

type Listener = (...args: unknown[]) => void

const listenersOf = (event: string): Listener[] => process.listeners(event as 'exit') as Listener[]

const processListeners = (): ReadonlySet<Listener> => new Set(CRASH_EVENTS.flatMap(listenersOf))

/** The glue code of the .wasm file listens for uncaught errors of the whole process and throws them again. */
function removeListenersBut(kept: ReadonlySet<Listener>): void {
  for (const event of CRASH_EVENTS) {
    for (const listener of listenersOf(event)) if (!kept.has(listener)) process.off(event, listener)
  }
}

/** The packages are CommonJS: only the default export has everything. */
function namespaceOf(module: unknown): unknown {
  return (module as { default?: unknown }).default ?? module
}

function isMissing(error: unknown, name: string): boolean {
  const { code, message } = error as { code?: unknown; message?: unknown }
  return code === 'ERR_MODULE_NOT_FOUND' && String(message).includes(`'${name}'`)
}

function firstLine(error: unknown): string {
  return String(error instanceof Error ? error.message : error).split('\n', 1)[0] ?? ''
}

import { PipelineError } from '../../errors.ts'
import { restoreNodeUtil } from './restore-node-util.ts'

/** What tfjs-core exports; the native packages export the same and more. */
export type TensorFlow = typeof import('@tensorflow/tfjs-core')

export interface Backend {
  readonly tf: TensorFlow
  /** `cuda`, `cpu` or `wasm`. */
  readonly device: string
}

type ImportPackage = (name: string) => Promise<unknown>

// The fastest first. They are named by variables: they are nobody's dependency, and neither a compiler nor a bundler
// is to look for them.
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
    // Installed, but of no use: most often its own install step, which fetches the library, was not allowed to run.
    if (!isMissing(error, name)) {
      process.emitWarning(`${name} is installed, but cannot be loaded: ${firstLine(error)}`)
    }
    return undefined
  }
}

/**
 * It has a binary for several threads, which it does not use under Node as yet: forced to, it ends the process. Plain JavaScript, the last resort elsewhere, is none here: it needs as much installed
 * as WebAssembly, and minutes for an image.
 */
async function wasmBackend(threads: number, importPackage: ImportPackage): Promise<Backend> {
  try {
    const tf = namespaceOf(await importPackage(CORE_PACKAGE)) as TensorFlow
    // No advertisements for the native packages on stderr, and no checks of what was checked already.
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

/** The glue code of the .wasm file makes itself a listener for crashes of the whole process, and throws them again. */
function removeListenersBut(kept: ReadonlySet<Listener>): void {
  for (const event of CRASH_EVENTS) {
    for (const listener of listenersOf(event)) if (!kept.has(listener)) process.off(event, listener)
  }
}

/** These packages are CommonJS: what they export is whole only as their default. */
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

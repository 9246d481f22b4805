import { expect } from 'chai'
import { restoreNodeUtil } from '../../../pipeline/engines/tfjs/restore-node-util.ts'
import { openBackend } from '../../../pipeline/engines/tfjs/tfjs-backend.ts'
import { errorOf } from '../../support/broker.ts'

const GPU = '@tensorflow/tfjs-node-gpu'
const CPU = '@tensorflow/tfjs-node'

describe('TensorFlow.js', () => {
  it('is the native package for a GPU where that is installed', async () => {
    expect((await openBackend(1, only({ [GPU]: native(true), [CPU]: native(false) }))).device).to.equal(
      'cuda',
    )
  })

  it('runs on the CPU when the native package for a GPU finds none', async () => {
    expect((await openBackend(1, only({ [GPU]: native(false) }))).device).to.equal('cpu')
  })

  it('is the native package for the CPU where only that is installed', async () => {
    expect((await openBackend(1, only({ [CPU]: native(false) }))).device).to.equal('cpu')
  })

  it('is WebAssembly where no native package is installed', async () => {
    const installed = ['@tensorflow/tfjs-core', '@tensorflow/tfjs-backend-wasm']
    const { tf, device } = await openBackend(1, (name) => {
      return installed.includes(name) ? import(name) : missing(name)
    })
    expect(device).to.equal('wasm')
    expect(tf.getBackend()).to.equal('wasm')
  })

  it('adds no listeners for crashes of the process', async () => {
    await openBackend(1)
    for (const event of ['uncaughtException', 'unhandledRejection']) {
      const listeners = process.listeners(event as 'exit').map(String)
      expect(listeners.filter((code) => /throw (ex|reason)/.test(code))).to.deep.equal([])
    }
  })

  it('warns about a native package that cannot be loaded, and goes on without it', async () => {
    const warning = new Promise<Error>((resolve) => process.once('warning', resolve))
    const broken = only({ [CPU]: new Error('tfjs_binding.node cannot be found\nRequire stack') })
    const { device } = await openBackend(1, (name) => (name.includes('node') ? broken(name) : import(name)))
    expect(device).to.equal('wasm')
    expect((await warning).message).to.equal(
      `${CPU} is installed, but cannot be loaded: tfjs_binding.node cannot be found`,
    )
  })

  it('is an error that says what to install where nothing is', async () => {
    const error = await errorOf(openBackend(1, missing))
    expect(error.code).to.equal('ERR_ENGINE')
    expect(error.message).to.include('npm install @tensorflow/tfjs-node')
  })

  it('gets back the functions that Node 23 removed, and only those', () => {
    const isArray = () => true
    const util: Parameters<typeof restoreNodeUtil>[0] = { isArray }
    restoreNodeUtil(util)
    expect(util.isArray).to.equal(isArray)
    expect([undefined, null, 0, '', false].map((value) => util.isNullOrUndefined?.(value))).to.deep.equal([
      ...[true, true, false, false, false],
    ])
  })
})

/** Stands for a package of 200 MB: what of it is looked at before the first operation. */
function native(isUsingGpuDevice: boolean): unknown {
  return { default: { ready: async () => undefined, backend: () => ({ isUsingGpuDevice }) } }
}

function only(packages: Record<string, unknown>): (name: string) => Promise<unknown> {
  return async (name) => {
    const found = packages[name]
    if (found instanceof Error) throw found
    return found ?? missing(name)
  }
}

/** What Node says of a package that is not there. */
function missing(name: string): Promise<unknown> {
  return Promise.reject(
    Object.assign(new Error(`Cannot find package '${name}' imported from here`), {
      code: 'ERR_MODULE_NOT_FOUND',
    }),
  )
}

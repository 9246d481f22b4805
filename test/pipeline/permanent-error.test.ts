import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { PipelineError } from '../../pipeline/errors.ts'
import { UnwritableError } from '../../pipeline/graph/write-model.ts'
import { makePipeline } from '../../pipeline/make-pipeline.ts'
import { modelFiles } from '../../pipeline/models/model-files.ts'
import { markPermanent } from '../../pipeline/permanent-error.ts'
import { errorOf } from '../support/broker.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const isPermanent = async (error: Error) =>
  'permanent' in ((await markPermanent(error, async () => ['/model'])) as object)
const coded = (code: string) => Object.assign(new Error('no'), { code })

describe('an error of a model', () => {
  for (const code of ['ERR_MODEL_LOAD', 'ERR_MODEL_UNSUPPORTED', 'ERR_MODEL_SETTINGS'] as const) {
    it(`is permanent if the files are wrong, and names the files: ${code}`, async () => {
      const marked = await markPermanent(new PipelineError(code, 'no'), async () => ['/model'])
      expect(marked).to.include({ code, permanent: true })
      expect(marked).to.have.deep.property('watch', ['/model'])
    })
  }

  const passing: Record<string, Error> = {
    'a failed download': new PipelineError('ERR_WEIGHTS_DOWNLOAD', 'no'),
    'a device that cannot be used': new PipelineError('ERR_ENGINE', 'no'),
    'a full disk': new PipelineError('ERR_MODEL_LOAD', 'no', { cause: coded('ENOSPC') }),
    'too many open files, deep below': new PipelineError('ERR_MODEL_LOAD', 'no', {
      cause: new Error('no', { cause: coded('EMFILE') }),
    }),
    'a lack of memory': new PipelineError('ERR_MODEL_LOAD', 'ONNX Runtime cannot open it: std::bad_alloc'),
    'a thread that cannot be started': new PipelineError('ERR_MODEL_LOAD', 'no', {
      cause: coded('ERR_WORKER_INIT_FAILED'),
    }),
    'a lack of memory in WebAssembly': new PipelineError('ERR_MODEL_LOAD', 'pets.h5: Aborted(OOM)'),
    'a model that can be written nowhere': new UnwritableError('ERR_MODEL_LOAD', 'no'),
    'a mistake of the program': new TypeError('no'),
  }
  for (const [what, error] of Object.entries(passing)) {
    it(`is worth a retry: ${what}`, async () => expect(await isPermanent(error)).to.equal(false))
  }
  it('is permanent if its cause is not a shortage of the machine', async () =>
    expect(await isPermanent(new PipelineError('ERR_MODEL_LOAD', 'no', { cause: coded('ENOENT') }))).to.equal(
      true,
    ))
})

describe('a compiled model that is damaged', () => {
  it('is not a permanent error: the message names the folder, and removing the folder helps', async () => {
    const weightsDir = temporaryFolder()
    const request = {
      model: 'digits',
      weightsDir,
      engine: 'onnx',
      device: 'cpu',
      threads: 1,
      spin: false,
      winograd: 'auto',
      precision: 'fp32',
    } as const
    const make = () =>
      makePipeline({ ...request, maxBatch: 1, maxPixels: 1000, prepareTimeout: 1000 }, { progress: () => {} })
    try {
      await (await make()).close()
      const compiled = join(weightsDir, 'compiled')
      const folder = join(compiled, readdirSync(compiled).find((name) => !name.endsWith('.json')) ?? '')
      const { size } = statSync(join(folder, 'model.onnx'))
      writeFileSync(join(folder, 'model.onnx'), Buffer.alloc(size, 'rubbish'))
      const error = await errorOf(make())
      expect(error.code).to.equal('ERR_ENGINE')
      expect(error.message).to.contain(`Remove ${folder} to have the model compiled again`)
      expect(error).not.to.have.property('permanent')
      rmSync(folder, { recursive: true })
      await (await make()).close()
    } finally {
      rmSync(weightsDir, { recursive: true })
    }
  })
})

describe('the files of a model', () => {
  let folder = ''
  beforeEach(() => {
    folder = temporaryFolder()
  })
  afterEach(() => rmSync(folder, { recursive: true }))
  const at = (...names: string[]) => join(folder, ...names)

  it('are all files that it may consist of, including missing ones', async () => {
    expect(await modelFiles('pets', undefined, folder)).to.include.members([
      at('pets.keras'),
      at('pets.h5'),
      at('pets.onnx'),
      at('pets.json'),
      at('pets', 'model.json'),
      at('pets'),
    ])
    expect(await modelFiles('mobilenet', undefined, folder)).to.include(at('mobilenet_1_0_224_tf.h5'))
  })

  it('include the settings, the labels, and each shard of a folder', async () => {
    mkdirSync(at('pets'))
    writeFileSync(at('pets', 'shard1.bin'), '')
    writeFileSync(at('pets.json'), JSON.stringify({ labels: 'names.txt' }))
    for (const path of [at('pets'), at('pets', 'model.json')]) {
      const files = await modelFiles('any', path, folder)
      expect(files).to.include.members([
        path,
        at('pets'),
        at('pets.json'),
        at('names.txt'),
        at('pets', 'shard1.bin'),
      ])
    }
  })

  it('are known even if the settings are broken, and never include labels outside the folder', async () => {
    writeFileSync(at('pets.json'), '{')
    expect(await modelFiles('any', at('pets.h5'), folder)).to.have.members([at('pets.h5'), at('pets.json')])
    writeFileSync(at('pets.json'), JSON.stringify({ labels: '../secret' }))
    expect(await modelFiles('any', at('pets.h5'), folder)).to.have.members([at('pets.h5'), at('pets.json')])
  })
})

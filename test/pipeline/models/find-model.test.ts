import { mkdirSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { expect } from 'chai'
import { findModel } from '../../../pipeline/models/find-model.ts'
import { errorOf } from '../../support/broker.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const TFJS = '{"format": "layers-model", "modelTopology": {}, "weightsManifest": []}'

describe('findModel', () => {
  let folder: string
  const at = (...path: string[]) => join(folder, ...path)
  const find = (name: string, path?: string) => findModel(name, path, folder, ['vgg16', 'resnet50'])
  function put(name: string, content = '') {
    mkdirSync(join(at(name), '..'), { recursive: true })
    writeFileSync(at(name), content)
  }
  beforeEach(() => {
    folder = temporaryFolder()
  })

  it('finds a model of the catalog, whether or not it has settings', async () => {
    put('resnet50.json', '{"top": 3}')
    for (const name of ['vgg16', 'resnet50']) {
      expect(await find(name)).to.deep.equal({ kind: 'catalog', name })
    }
  })

  for (const extension of ['keras', 'h5', 'hdf5', 'onnx']) {
    it(`finds a file .${extension}, and takes .json beside it for its settings`, async () => {
      put(`pets.${extension}`)
      put('pets.json', '{"top": 3}')
      expect(await find('pets')).to.deep.equal({ kind: 'own', path: at(`pets.${extension}`) })
    })
  }

  it('finds a TF.js model, in a folder or not', async () => {
    put('pets/model.json', TFJS)
    expect(await find('pets')).to.deep.equal({ kind: 'own', path: at('pets') })
    put('cats.json', TFJS)
    expect(await find('cats')).to.deep.equal({ kind: 'own', path: at('cats.json') })
  })

  it('finds the unpacked folder of a Keras model of Teachable Machine, once if both exports are in the folder', async () => {
    put('pets/keras_model.h5')
    put('pets/labels.txt', '0 cat')
    expect(await find('pets')).to.deep.equal({ kind: 'own', path: at('pets') })
    put('pets/model.json', TFJS)
    expect(await find('pets')).to.deep.equal({ kind: 'own', path: at('pets') })
  })

  it('takes the given path: a file, a folder, or a model.json for its folder', async () => {
    put('elsewhere/a=b.bin')
    put('elsewhere/pets/model.json', TFJS)
    const paths: [given: string, found: string][] = [
      ['elsewhere/a=b.bin', 'elsewhere/a=b.bin'],
      ['elsewhere/pets', 'elsewhere/pets'],
      ['elsewhere/pets/', 'elsewhere/pets'],
      ['elsewhere/pets/model.json', 'elsewhere/pets'],
    ]
    for (const [given, found] of paths) {
      const path = relative(process.cwd(), at('x')).slice(0, -1) + given
      expect(await find('vgg16', path), given).to.deep.equal({ kind: 'own', path: at(found) })
    }
  })

  it('refuses an ambiguous name, and lists the choices', async () => {
    put('pets.keras')
    put('pets.onnx')
    put('pets/model.json', TFJS)
    const error = await errorOf(find('pets'))
    expect(error.code).to.equal('ERR_MODEL_SETTINGS')
    expect(error.message).to.equal(
      `"pets" may be ${at('pets.keras')} or ${at('pets.onnx')} or ${at('pets')}; say which: MODELS=pets=path.`,
    )
    put('vgg16.h5')
    expect((await errorOf(find('vgg16'))).message).to.equal(
      `"vgg16" may be the model of the catalog or ${at('vgg16.h5')}; say which: MODELS=vgg16=path for the file, ` +
        `or move the file away for the model of the catalog.`,
    )
  })

  it('lists the files that it looked for', async () => {
    put('resnet.json', '{"top": 3}')
    const error = await errorOf(find('resnet'))
    expect(error.code).to.equal('ERR_MODEL_LOAD')
    expect(error.message).to.equal(
      `There is no model "resnet": it is not in the catalog (tandem models shows all names), and the folder ` +
        `${folder} has none of ` +
        `resnet.keras, resnet.h5, resnet.hdf5, resnet.onnx, resnet.zip, resnet.json, ${join('resnet', 'model.json')}, ` +
        `${join('resnet', 'keras_model.h5')}. ` +
        'Did you mean resnet50?',
    )
  })

  it('names a given path that does not exist', async () => {
    mkdirSync(at('empty'))
    const missing = await errorOf(find('pets', at('none.keras')))
    expect(missing.code).to.equal('ERR_MODEL_LOAD')
    expect(missing.message).to.contain(`there is nothing at ${at('none.keras')}`)
    expect((await errorOf(find('pets', at('empty')))).message).to.contain(
      'there is no model.json or keras_model.h5 in the folder',
    )
  })

  it('refuses a name that leads out of the folder', async () => {
    for (const name of ['../escape', 'a/b', '..', '', 'x'.repeat(101), 'a\0b']) {
      expect((await errorOf(find(name))).code, name).to.equal('ERR_MODEL_SETTINGS')
    }
  })

  it('has the command that converts a SavedModel', async () => {
    mkdirSync(join(folder, 'saved'))
    put('saved/saved_model.pb', 'x')
    for (const error of [await errorOf(find('pets', join(folder, 'saved'))), await errorOf(find('saved'))]) {
      expect(error.code).to.equal('ERR_MODEL_UNSUPPORTED')
      expect(error.message).to.contain(`python -m tf2onnx.convert --saved-model ${join(folder, 'saved')}`)
    }
  })
})

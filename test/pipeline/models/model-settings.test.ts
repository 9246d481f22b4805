import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import {
  givenSettings,
  readModelSettings,
  settingsFiles,
  settingsPaths,
} from '../../../pipeline/models/model-settings.ts'
import { errorOf } from '../../support/broker.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

describe('readModelSettings', () => {
  let folder: string
  const at = (...path: string[]) => join(folder, ...path)
  beforeEach(() => {
    folder = temporaryFolder()
  })

  function read(settings: unknown) {
    writeFileSync(at('pets.json'), typeof settings === 'string' ? settings : JSON.stringify(settings))
    return readModelSettings(at('pets.keras'))
  }

  it('is empty where there is no file', async () => {
    expect(await readModelSettings(at('pets.keras'))).to.deep.equal({})
    expect(await readModelSettings(at('none', 'model.json'))).to.deep.equal({})
  })

  it('reads every setting', async () => {
    const settings = {
      preprocessing: 'torch',
      size: [224, 192],
      interpolation: 'bilinear',
      crop: true,
      exif: false,
      colourProfile: true,
      kernels: 'rotated',
      head: 'race',
      top: 3,
    }
    expect(await read(settings)).to.deep.equal(settings)
  })

  it('reads the labels file that it names, in its folder or below', async () => {
    mkdirSync(at('labels'))
    writeFileSync(at('labels', 'pets.txt'), 'cat\ndog\n')
    const { labels, labelsFile } = await read({ labels: 'labels/pets.txt' })
    expect(labels?.map(({ name }) => name)).to.deep.equal(['cat', 'dog'])
    expect(labelsFile).to.equal('pets.txt')
  })

  it('takes "imagenet" for the labels of ImageNet', async () => {
    const { labels, labelsFile } = await read({ labels: 'imagenet' })
    expect(labels).to.have.length(1000)
    expect(labelsFile).to.equal('imagenet-labels.tsv')
  })

  it('looks in the folder of the model, and beside the model', () => {
    const inside = (folder: string) => at(folder, 'settings.json')
    const paths: Record<string, string[]> = {
      'pets.keras': [at('pets.json')],
      'pets.v2.h5': [at('pets.v2.json')],
      'pets.v2': [inside('pets.v2'), at('pets.v2.json')],
      'pets/model.json': [inside('pets'), at('pets.json')],
      pets: [inside('pets'), at('pets.json')],
      'pets.json': [],
    }
    for (const [model, settings] of Object.entries(paths)) {
      expect(settingsPaths(at(model)), model).to.deep.equal(settings)
    }
  })

  it('reads the settings in the folder, and prefers those beside the folder', async () => {
    mkdirSync(at('pets'))
    writeFileSync(at('pets', 'labels.txt'), 'cat\ndog\n')
    writeFileSync(at('pets', 'settings.json'), '{"labels": "labels.txt", "top": 2, "crop": true}')
    writeFileSync(at('pets.json'), '{"top": 1}')
    const { labels, ...others } = await readModelSettings(at('pets'))
    expect(labels?.map(({ name }) => name)).to.deep.equal(['cat', 'dog'])
    expect(others).to.deep.equal({ labelsFile: 'labels.txt', top: 1, crop: true })
    expect(await settingsFiles(at('pets'))).to.deep.equal([
      at('pets', 'settings.json'),
      at('pets', 'labels.txt'),
      at('pets.json'),
    ])
  })

  const wrong: Record<string, [settings: unknown, what: string]> = {
    'a misspelt key': [
      { preprocesing: 'tf' },
      'an unknown setting "preprocesing"; the nearest known one is "preprocessing"',
    ],
    'a key in another spelling': [{ colour_profile: true }, 'the nearest known one is "colourProfile"'],
    'a key like no other': [{ xyz: 1 }, 'an unknown setting "xyz"; known are labels, preprocessing,'],
    'a key of every object': ['{"__proto__": 1}', 'an unknown setting "__proto__"'],
    'a wrong word': [
      { preprocessing: 'TF' },
      'must be one of caffe, tf, torch, unit, none, teachable-machine, but is "TF"',
    ],
    'a size of three': [{ size: [1, 2, 3] }, 'it must be [height, width], each a whole number'],
    'a giant size': [{ size: [1e9, 1e9] }, 'from 1 to 4096, but is [1000000000,1000000000]'],
    'a text for a switch': [{ exif: 'yes' }, 'the wrong exif: it must be true or false, but is "yes"'],
    'half a guess': [{ top: 1.5 }, 'a whole number from 1 to 1000, but is 1.5'],
    'labels elsewhere': [{ labels: '../labels.txt' }, 'which lie outside of its folder'],
    'labels anywhere': [{ labels: '/etc/passwd' }, 'which lie outside of its folder'],
    'no labels': [{ labels: ['cat'] }, 'the name of a file beside it, or "imagenet", but is ["cat"]'],
    'a list': [[1], 'is no JSON object'],
    'no JSON': ['{"top": 5', 'is no valid JSON'],
    'a file of another kind': [' '.repeat(70_000), 'has 70000 bytes, the limit is 65536'],
  }
  for (const [title, [settings, what]] of Object.entries(wrong)) {
    it(`refuses ${title}`, async () => {
      const error = await errorOf(read(settings))
      expect(error.code).to.equal('ERR_MODEL_SETTINGS')
      expect(error.message).to.contain('The settings file pets.json ').and.to.contain(what)
    })
  }

  it('names the labels file that is not there', async () => {
    const error = await errorOf(read({ labels: 'none.txt' }))
    expect(error.code).to.equal('ERR_MODEL_SETTINGS')
    expect(error.message).to.equal('The labels file none.txt cannot be read (ENOENT).')
  })
})

describe('givenSettings', () => {
  const given = (settings: unknown) => givenSettings(settings, 'pets')

  it('have the settings of a file, and nothing where there are none', async () => {
    expect(await given(undefined)).to.deep.equal({})
    expect(await given({ preprocessing: 'tf', top: 2 })).to.deep.equal({ preprocessing: 'tf', top: 2 })
  })

  it('may have a list of labels, or the path of a file anywhere', async () => {
    const cat = { name: 'house_cat', first: 'house cat', full: 'house cat' }
    expect((await given({ labels: ['house cat'] })).labels).to.deep.equal([cat])
    const file = join(temporaryFolder(), 'labels.txt')
    writeFileSync(file, 'house cat\n')
    expect((await given({ labels: file })).labels).to.deep.equal([cat])
    expect((await given({ labels: 'imagenet' })).labels).to.have.length(1000)
  })

  const refused: Record<string, [settings: unknown, what: string]> = {
    'an unknown setting': [
      { lables: [] },
      'option of the model "pets" has an unknown setting "lables"; the nearest',
    ],
    'a wrong value': [{ top: 0 }, 'option of the model "pets" has the wrong top'],
    'no labels': [{ labels: [] }, 'The list of labels holds no labels'],
    'a label that is no text': [{ labels: ['cat', 7] }, 'The list of labels has something at index 1'],
    'a long label': [{ labels: ['x'.repeat(501)] }, 'more than 500 characters at index 0'],
    'too many labels': [{ labels: Array(100_001).fill('x') }, 'holds 100001 labels, the limit is 100000'],
  }
  for (const [title, [settings, what]] of Object.entries(refused)) {
    it(`refuse ${title}`, async () => {
      const error = await errorOf(given(settings))
      expect(error.code).to.equal('ERR_MODEL_SETTINGS')
      expect(error.message).to.contain(what)
    })
  }
})

import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { openModel } from '../../../pipeline/weights/open-model.ts'
import { codeOf } from '../../support/broker.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { subgroup, writeH5 } from '../../support/write-keras-h5.ts'
import { writePackedZip } from '../../support/write-zip.ts'

const kernel = Float32Array.of(1, 2, 3, 4, 5, 6)
const bias = Float32Array.of(7, 8, 9)
const config = {
  class_name: 'Sequential',
  config: {
    name: 'small',
    layers: [
      { class_name: 'InputLayer', config: { name: 'input', batch_shape: [null, 2] } },
      { class_name: 'Dense', config: { name: 'only', units: 3, activation: 'softmax' } },
    ],
  },
}

describe('a .keras file with compressed entries', () => {
  const folder = temporaryFolder()
  const [path, tmpDir] = [join(folder, 'model.keras'), join(folder, 'tmp')]

  before(async () => {
    mkdirSync(tmpDir)
    const weights = join(folder, 'model.weights.h5')
    await writeH5(weights, (file) => {
      const vars = subgroup(subgroup(subgroup(file, 'layers'), 'dense'), 'vars')
      vars.create_dataset({ name: '0', data: kernel, shape: [2, 3], dtype: '<f' })
      vars.create_dataset({ name: '1', data: bias, shape: [3], dtype: '<f' })
    })
    writePackedZip(path, {
      'config.json': Buffer.from(JSON.stringify(config)),
      'model.weights.h5': readFileSync(weights),
    })
  })

  it('is unpacked into a file that has no name', async () => {
    const { weights, layers, format, close } = await openModel(path, { tmpDir })
    expect(format).to.equal('keras-zip')
    expect(layers?.inputShape).to.deep.equal([2])
    expect(readdirSync(tmpDir)).to.deep.equal([])
    expect(await weights?.read('only', 0)).to.deep.equal(kernel)
    expect(await weights?.read('only', 1)).to.deep.equal(bias)
    await close()
    expect(readdirSync(tmpDir)).to.deep.equal([])
  })

  it('is refused if no temporary file can be made', async () => {
    expect(await codeOf(openModel(path, { tmpDir: join(folder, 'nowhere') }))).to.equal('ERR_MODEL_LOAD')
  })
})

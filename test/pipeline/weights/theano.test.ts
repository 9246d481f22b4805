import { join } from 'node:path'
import { expect } from 'chai'
import type { LayerList } from '../../../pipeline/models/networks/layer-list.ts'
import { openModel } from '../../../pipeline/weights/open-model.ts'
import { codeOf } from '../../support/broker.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { subgroup, writeH5 } from '../../support/write-keras-h5.ts'

const layers: LayerList = {
  inputShape: [3, 3, 1],
  output: 'conv',
  layers: [
    { name: 'input', className: 'InputLayer', config: {}, inputs: [] },
    { name: 'conv', className: 'Conv2D', config: { filters: 1, kernel_size: [2, 2] }, inputs: ['input'] },
  ],
}

describe('a file of Keras 0.3', () => {
  const folder = temporaryFolder()
  const path = join(folder, 'weights.h5')

  const write = (first: number) =>
    writeH5(path, (file) => {
      file.create_attribute('nb_layers', 2)
      subgroup(file, 'layer_0')
      const group = subgroup(file, 'layer_1')
      group.create_dataset({
        name: 'param_0',
        data: Float32Array.of(first, 1, 2, 3),
        shape: [1, 1, 2, 2],
        dtype: '<f',
      })
      group.create_dataset({ name: 'param_1', data: Float32Array.of(4), shape: [1], dtype: '<f' })
    })

  async function kernel(options: { kernels?: 'correlation' | 'rotated' } = {}): Promise<number[]> {
    const { weights, close } = await openModel(path, { layers, ...options })
    const values = await weights?.read('conv', 0)
    await close()
    return [...(values ?? [])]
  }

  it('has its kernels taken unchanged if its first number is that of VGG-16 in that orientation', async () => {
    await write(0.42947057)
    expect(await kernel()).to.deep.equal([Math.fround(0.42947057), 1, 2, 3])
  })

  it('has them rotated by 180° if its first number is that of VGG-16 in the other', async () => {
    await write(-0.3501)
    expect(await kernel()).to.deep.equal([3, 2, 1, Math.fround(-0.3501)])
  })

  it('needs a setting for any other first number, and the setting always wins', async () => {
    await write(0.5)
    expect(await codeOf(kernel())).to.equal('ERR_MODEL_SETTINGS')
    expect(await kernel({ kernels: 'correlation' })).to.deep.equal([0.5, 1, 2, 3])
    await write(0.42947057)
    expect(await kernel({ kernels: 'rotated' })).to.deep.equal([3, 2, 1, Math.fround(0.42947057)])
  })
})

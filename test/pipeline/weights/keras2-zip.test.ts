import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import type { Group } from 'h5wasm/node'
import { openModel } from '../../../pipeline/weights/open-model.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { subgroup, writeH5 } from '../../support/write-keras-h5.ts'
import { zip } from '../../support/write-zip.ts'

const CONTAINER = '_layer_checkpoint_dependencies'

const dense = (name: string, units: number, input: string) => ({
  class_name: 'Dense',
  name,
  config: { name, units, activation: 'hard_sigmoid', use_bias: false },
  inbound_nodes: [[[input, 0, 0, {}]]],
})

const functional = (name: string, layers: object[], output: string) => ({
  class_name: 'Functional',
  name,
  config: { name, layers, input_layers: [['x', 0, 0]], output_layers: [[output, 0, 0]] },
})

const input = {
  class_name: 'InputLayer',
  name: 'x',
  config: { name: 'x', batch_input_shape: [null, 2] },
  inbound_nodes: [],
}

describe('a .keras file of Keras 2.12 or 2.13', () => {
  it('is read by the order of its groups, whose numbers have gaps, and with the meanings of Keras 2', async () => {
    const folder = temporaryFolder()
    const inner = {
      ...functional('inner', [input, dense('a', 2, 'x'), dense('b', 2, 'a')], 'b'),
      inbound_nodes: [[['first', 0, 0, {}]]],
    }
    const config = functional(
      'model',
      [input, dense('first', 2, 'x'), inner, dense('last', 1, 'inner')],
      'last',
    )
    const weights = join(folder, 'model.weights.h5')
    await writeH5(weights, (file) => {
      const outer = subgroup(file, CONTAINER)
      matrix(outer, 'dense', 1, 4)
      matrix(outer, 'dense_10', 2, 2)
      const within = subgroup(subgroup(outer, 'functional'), CONTAINER)
      matrix(within, 'dense_2', 3, 4)
      matrix(within, 'dense', 4, 4)
    })
    const path = join(folder, 'old.keras')
    const entries = [
      { name: 'metadata.json', content: Buffer.from(JSON.stringify({ keras_version: '2.13.1' })) },
      { name: 'config.json', content: Buffer.from(JSON.stringify(config)) },
      { name: 'model.weights.h5', content: readFileSync(weights) },
    ]
    writeFileSync(path, zip(entries, 'stored'))
    const opened = await openModel(path)
    const found: Record<string, number | undefined> = {}
    for (const layer of ['first', 'inner/a', 'inner/b', 'last'])
      found[layer] = (await opened.weights?.read(layer, 0))?.[0]
    await opened.close()
    expect(found).to.deep.equal({ first: 1, 'inner/a': 4, 'inner/b': 3, last: 2 })
    expect(opened.layers?.layers.at(-1)?.config.activation).to.equal('hard_sigmoid of Keras 2')
  })
})

/** A group with one matrix of two rows, all of whose numbers are `value`. */
function matrix(to: Group, name: string, value: number, length: number): void {
  const data = new Float32Array(length).fill(value)
  subgroup(subgroup(to, name), 'vars').create_dataset({
    name: '0',
    data,
    shape: [2, length / 2],
    dtype: '<f',
  })
}

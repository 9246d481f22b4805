import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { runCommand } from '../../support/command.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { TYPE, writeOnnx } from '../../support/write-onnx.ts'

const DIGITS = fileURLToPath(new URL('../../../weights/digits', import.meta.url))

describe('tandem inspect', () => {
  const folder = temporaryFolder()
  const inspect = (...args: string[]) =>
    runCommand('inspect', [...args, '--weights-dir', folder, '--device', 'cpu'])

  it('shows layers, input, output, and what is done with an image', async () => {
    const { code, stdout } = await inspect('digits')
    expect(code).to.equal(0)
    expect(stdout).to.match(/^digits: .*weights.digits\n/)
    // 3 × 3 kernels, 1 channel, 32 filters without a bias.
    expect(stdout).to.match(/^ {2}conv1 +Conv2D +26 × 26 × 32 +288$/m)
    expect(stdout).to.match(/^\d+ layers, [\d,]+ parameters$/m)
    expect(stdout).to.contain('scaled to 28 × 28 pixels around its digit, with one channel (grey)')
    expect(stdout).to.contain('preprocessing: unit, from 0 to 1.')
    expect(stdout).to.contain('Probabilities by the model’s own softmax.')
    expect(stdout).to.contain('10 classes: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9\n')
  })

  it('shows the operators of an ONNX file, and everything as JSON', async () => {
    const path = writeOnnx(join(folder, 'pets.onnx'), {
      input: { type: TYPE.float32, shape: ['n', 1, 8, 8] },
      output: { type: TYPE.float32, shape: ['n', 2] },
      nodes: [
        ['Flatten', ['input'], 'row'],
        ['Gemm', ['row', 'kernel'], 'output'],
      ],
      weights: { kernel: { shape: [64, 2], values: Array(128).fill(0.1) } },
    })
    const { code, stdout } = await inspect(path, '--json')
    expect(code).to.equal(0)
    const { layers, parameters, served } = JSON.parse(stdout)
    expect(parameters).to.equal(128)
    expect(layers).to.deep.equal([
      { name: 'row', className: 'Flatten', parameters: 0 },
      { name: 'output', className: 'Gemm', parameters: 128 },
    ])
    expect(served.output).to.deep.include({ inside: 'linear', applied: 'softmax' })
  })

  it('says why a model cannot be served, with its layers, and ends with 1', async () => {
    const path = join(folder, 'model.json')
    const topology = readFileSync(join(DIGITS, 'model.json'), 'utf8')
    writeFileSync(path, topology.replaceAll('"Flatten"', '"LSTM"'))
    const { code, stdout } = await inspect(`lstm=${path}`)
    expect(code).to.equal(1)
    expect(stdout).to.match(/^ {2}\w+ +LSTM$/m)
    expect(stdout).to.match(/^Cannot be served: .*LSTM.*\(ERR_MODEL_UNSUPPORTED\)$/m)
  })

  it('needs one model that is there', async () => {
    expect((await inspect()).code).to.equal(2)
    const { code, stderr } = await inspect('nothing-of-this-name')
    expect(code).to.equal(3)
    expect(stderr).to.contain('There is no model "nothing-of-this-name"')
  })
})

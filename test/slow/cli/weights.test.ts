import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { runCommand } from '../../support/command.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const FILE = 'mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224.h5'
// What the official file has.
const BYTES = 14_536_120

describe('tandem weights', () => {
  const folder = temporaryFolder()

  it('lists what is there, verifies it, and removes it', async () => {
    const file = join(folder, FILE)
    const run = async (...args: string[]) => {
      const { code, stdout, stderr } = await runCommand('weights', [...args, '--weights-dir', folder])
      return { code, output: stdout + stderr }
    }
    writeFileSync(file, Buffer.alloc(BYTES))
    writeFileSync(join(folder, 'vgg16_weights_tf_dim_ordering_tf_kernels.h5'), 'too short')
    writeFileSync(join(folder, 'mobilenet_1_0_224_tf.h5.part'), Buffer.alloc(5000))
    const list = await run('list')
    expect(list.code).to.equal(0)
    expect(list.output)
      .to.match(/^ {2}digits +\d+ kB +\//m)
      .and.match(/^ {2}mobilenet +5 kB of 17 MB/m)
      .and.match(/^ {2}resnet50 +– {2}\(103 MB\)$/m)
    expect(list.output).to.contain(`15 MB              ${file}`).and.contain('0 compiled models')
    expect(await run('verify')).to.deep.equal({
      code: 1,
      output:
        'digits: built in\nvgg16: wrong (has 9 bytes instead of 553467096)\nmobilenet: part\n' +
        'mobilenet_v2: right (size alone; no checksum is published)\n',
    })
    expect(await run('rm', 'mobilenet_v2', 'mobilenet')).to.deep.equal({
      code: 0,
      output: 'mobilenet_v2: removed\nmobilenet: removed\n',
    })
    expect(existsSync(file)).to.equal(false)
    expect(await run('rm', 'mobilenet_v2', 'digits')).to.deep.equal({
      code: 1,
      output: 'mobilenet_v2: absent\ndigits: built in\n',
    })
    expect((await run('rm')).code).to.equal(2)
  })
})

import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import type { Kept } from '../../../lib/cli/weights.ts'
import { runCommand } from '../../support/command.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { writeBrightness } from '../../support/write-brightness.ts'

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
    expect(list.output)
      .to.match(new RegExp(`^  mobilenet_v2 +15 MB +${file}$`, 'm'))
      .and.contain('0 compiled models')
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

  it('lists what is compiled, for which precision, and how large: also of files of the user', async () => {
    const folder = temporaryFolder()
    await writeBrightness(join(folder, 'small.h5'))
    const env = { MODELS: 'digits,small,gone=./gone.keras', WEIGHTS_DIR: folder, DEVICE: 'cpu' }
    const listed = async (): Promise<Kept['weights']> =>
      JSON.parse((await runCommand('weights', ['list', '--json'], env)).stdout).weights
    const one = (kept: Kept['weights'], name: string) => kept.find((weights) => weights.name === name)
    const before = await listed()
    expect(one(before, 'digits')?.compiled).to.deep.equal([])
    expect(one(before, 'small')).to.deep.include({
      state: 'own',
      path: join(folder, 'small.h5'),
      compiled: [],
    })
    expect(one(before, 'gone')).to.deep.include({ state: 'absent', compiled: [] })
    for (const model of ['digits', 'small']) {
      const { code, stderr } = await runCommand(
        'predict',
        ['public/digits-example.png', '--model', model],
        env,
      )
      expect(code, stderr).to.equal(0)
    }
    const after = await listed()
    const [digits] = one(after, 'digits')?.compiled ?? []
    const [small] = one(after, 'small')?.compiled ?? []
    const inFolder = readdirSync(join(folder, 'compiled'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !entry.name.endsWith('.hash.json'))
      .map(({ parentPath, name }) => statSync(join(parentPath, name)).size)
    expect((digits?.bytes ?? 0) + (small?.bytes ?? 0)).to.equal(inFolder.reduce((sum, size) => sum + size, 0))
    expect([digits, small]).to.have.deep.members([
      { precision: 'fp32', bytes: digits?.bytes, tuned: false },
      { precision: 'fp32', bytes: small?.bytes, tuned: false },
    ])
    const { stdout } = await runCommand('weights', ['list', 'digits', 'gone'], env)
    expect(stdout).to.match(/^ {2}digits +\d+ kB +fp32 \d.* [kM]B +\//m)
    expect(stdout).to.match(
      /^ {2}gone +– {2}\(size unknown\) +The model "gone" cannot be loaded: there is nothing at .*gone\.keras/m,
    )
    expect(stdout).to.match(/^2 compiled models, /m)
    // The file of the user has changed: what is compiled is not of this file.
    writeFileSync(join(folder, 'small.h5'), 'another file')
    expect(one(await listed(), 'small')?.compiled).to.deep.equal([])
  })
})

import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { catalog } from '../../../pipeline/models/catalog.ts'
import { runCommand } from '../../support/command.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { serveWeights, type WeightsServer } from '../../support/weights-server.ts'

const FILE = 'mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224.h5'
// What the official file has; no hash of it was published, so zeros will do.
const BYTES = 14_536_120

describe('tandem weights', () => {
  let folder: string
  let server: WeightsServer | undefined
  beforeEach(() => {
    folder = temporaryFolder()
  })
  afterEach(async () => {
    await server?.close()
  })

  async function weights(models: string[]) {
    server = await serveWeights({ content: Buffer.alloc(BYTES), etag: '"1"' })
    const mirror = server.url.replace('/weights.h5', '')
    return runCommand('weights', [...models, '--weights-dir', folder], { WEIGHTS_URL: mirror })
  }

  it('downloads the weights of a model, writes a line for every 5 %, and then the path of the file', async () => {
    const { code, stdout, stderr } = await weights(['mobilenet_v2'])
    expect({ code, stdout }).to.deep.equal({ code: 0, stdout: `mobilenet_v2: ${join(folder, FILE)}\n` })
    expect(statSync(join(folder, FILE)).size).to.equal(BYTES)
    expect(stderr).to.match(/^mobilenet_v2: downloading \d+ % of 14 MB/)
    expect(stderr.split('\n').length).to.be.lessThan(25)
  })

  it('lists the models of the catalog with the address of each file', async () => {
    const { code, stdout, stderr } = await runCommand('models', [])
    expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' })
    expect(stdout).to.match(/^model +images +parameters +file +preprocessing +address\n/)
    expect(stdout).to.match(
      /^mobilenet_v2 +224 × 224 +3\.5 M +15 MB +tf +https:\/\/storage\.googleapis\.com\/tensorflow\/.*\/mobilenet_v2_weights_/m,
    )
    // No size of this file is published.
    expect(stdout).to.match(/^convnext_xlarge +224 × 224 +350\.2 M +about 1401 MB +none +https:/m)
    expect(stdout.trimEnd().split('\n')).to.have.length(catalog.size + 1)
  })

  it('continues with the next model when one fails, and ends with 1', async () => {
    const { code, stdout, stderr } = await weights(['vgg61', 'mobilenet', 'mobilenet_v2'])
    expect(code).to.equal(1)
    expect(stdout).to.match(/^mobilenet_v2: .*\n$/)
    expect(stderr).to.contain('The catalog has no model "vgg61"').and.to.contain('Did you mean vgg16?')
    expect(stderr).to.match(
      /^mobilenet needs mobilenet_1_0_224_tf\.h5 \(17 MB\): it could not be downloaded from http/m,
    )
    expect(existsSync(join(folder, 'mobilenet_1_0_224_tf.h5'))).to.equal(false)
  })
})

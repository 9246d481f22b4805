import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect } from 'chai'
import { type Finding, nodeVersion, processor, weightsOf } from '../../../lib/cli/doctor.ts'
import { runCommand } from '../../support/command.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

describe('tandem doctor', () => {
  it('finds a taken port, missing and damaged weights and a folder that cannot be made, and says what to do', async () => {
    const folder = temporaryFolder()
    mkdirSync(join(folder, 'weights'))
    writeFileSync(join(folder, 'weights/mobilenet_1_0_224_tf.h5'), 'damaged')
    writeFileSync(join(folder, 'file'), '')
    const server = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const { port } = server.address() as { port: number }
    const flags = ['--weights-dir', join(folder, 'weights'), '--models', 'digits,mobilenet,resnet50']
    const { code, stdout } = await runCommand('doctor', ['--json', '--port', String(port), ...flags])
    server.close()
    const found = new Map((JSON.parse(stdout) as Finding[]).map((finding) => [finding.about, finding]))
    expect(code).to.equal(1)
    expect(found.get(`port ${port}`)).to.include({ state: 'note' })
    expect(found.get('weights of digits')).to.deep.include({ state: 'good', text: 'part of Tandem' })
    expect(found.get('weights of mobilenet')?.text).to.contain('7 bytes instead of 17225924')
    expect(found.get('weights of resnet50')?.text).to.contain('tandem weights pull resnet50')
    expect(found.get('packages')?.text).to.match(/^ONNX Runtime \d.*sharp \d/)
    expect(found.get('Node')).to.deep.equal({ state: 'good', about: 'Node', text: process.versions.node })
    for (const about of ['memory', 'CPU', 'GPU', 'folder of weights', 'folder of feedback', 'compiled']) {
      expect(found.get(about)?.text, about).to.be.a('string').and.not.equal('')
    }
  })

  it('writes one line for each finding', async () => {
    const { stdout } = await runCommand('doctor', ['--models', 'digits', '--port', '0'])
    const lines = stdout.trimEnd().split('\n')
    expect(lines[0]).to.match(/^Tandem \d/)
    expect(lines.slice(1).filter((line) => !/^(ok {2}|note|BAD ) {2}\S/.test(line))).to.deep.equal([])
  })

  it('knows the versions of Node that are too old', () => {
    for (const old of ['18.20.0', '20.18.3']) expect(nodeVersion(old).state, old).to.equal('bad')
    for (const enough of ['20.19.0', '22.0.0', '24.1.0'])
      expect(nodeVersion(enough).state, enough).to.equal('good')
  })

  it('names the features of the processor', function () {
    if (process.arch !== 'x64') this.skip()
    expect(processor(new Set(['sse2', 'avx2', 'avx512f', 'avx512_vnni'])).text).to.match(
      / with AVX2, AVX-512, VNNI$/,
    )
    expect(processor(new Set(['sse2']))).to.include({ state: 'note' })
  })

  it('judges weights by their size alone', () => {
    const one = { name: 'vgg16', path: '/w', bytes: 100, have: 100 }
    expect(weightsOf({ ...one, state: 'here' }).state).to.equal('good')
    expect(weightsOf({ ...one, state: 'here', have: 99 }).state).to.equal('bad')
    expect(weightsOf({ ...one, state: 'part', have: 40 }).text).to.contain('40 B of the download are there')
    expect(weightsOf({ ...one, state: 'here', bytes: null }).state).to.equal('good')
  })
})

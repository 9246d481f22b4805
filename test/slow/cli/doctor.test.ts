import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect } from 'chai'
import type { Finding } from '../../../lib/cli/doctor.ts'
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
})

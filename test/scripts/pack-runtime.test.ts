import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { addRuntime, systemsOf } from '../../scripts/pack-runtime.ts'
import { CommandError } from '../../scripts/shared/command-error.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const RUNTIME = fileURLToPath(new URL('../../node_modules/onnxruntime-node', import.meta.url))

describe('The ONNX Runtime of the package', () => {
  it('is for the systems that are named, or for all', () => {
    expect(systemsOf('linux-x64, linux-x64,win32-arm64', RUNTIME)).to.deep.equal(['linux-x64', 'win32-arm64'])
    expect(systemsOf('all', RUNTIME)).to.include.members([
      'linux-x64',
      'linux-arm64',
      'darwin-arm64',
      'win32-x64',
    ])
    expect(() => systemsOf('linux-x64,plan9-mips', RUNTIME)).to.throw(CommandError, 'but has "plan9-mips"')
  })

  it('has the libraries of these systems alone, no install script, and what it needs', () => {
    const home = join(temporaryFolder(), 'package')
    mkdirSync(home)
    const fields = addRuntime(home, RUNTIME, ['linux-arm64'])
    expect(fields).to.deep.equal({ bundleDependencies: ['onnxruntime-node'], os: ['linux'], cpu: ['arm64'] })
    const own = join(home, 'node_modules/onnxruntime-node')
    expect(readdirSync(own).sort()).to.deep.equal(['README.md', 'bin', 'dist', 'package.json'])
    expect(readdirSync(join(own, 'bin/napi-v6'))).to.deep.equal(['linux'])
    expect(readdirSync(join(own, 'bin/napi-v6/linux'))).to.deep.equal(['arm64'])
    const manifest = JSON.parse(readFileSync(join(own, 'package.json'), 'utf8'))
    expect(manifest).to.not.have.property('scripts')
    expect(Object.keys(manifest.dependencies)).to.deep.equal(['onnxruntime-common'])
    expect(existsSync(join(home, 'node_modules/onnxruntime-common/package.json'))).to.equal(true)
  })
})

import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect } from 'chai'
import { availableDevices } from '../../../pipeline/engines/device/available-devices.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const RADEON = 'usr/share/vulkan/icd.d/radeon_icd.x86_64.json'
const LLVMPIPE = 'usr/share/vulkan/icd.d/lvp_icd.x86_64.json'
const CUDA = 'ort/libonnxruntime_providers_cuda.so'

describe('The devices worth a try', () => {
  for (const [title, files, devices] of [
    ['a server without a GPU', [], ['cpu']],
    ['a GPU with its driver', ['dev/dri/renderD128', RADEON], ['cpu', 'webgpu']],
    ['a GPU without a driver', ['dev/dri/renderD128'], ['cpu']],
    ['a driver without a GPU', [RADEON], ['cpu']],
    ['a screen that is no GPU', ['dev/dri/card0', RADEON], ['cpu']],
    ['a driver that draws on the CPU', ['dev/dri/renderD128', LLVMPIPE], ['cpu']],
    ['an NVIDIA GPU without the CUDA libraries', ['dev/nvidia0', RADEON], ['cpu', 'webgpu']],
    ['an NVIDIA GPU with the CUDA libraries', ['dev/nvidia0', CUDA], ['cpu', 'cuda']],
    ['the CUDA libraries without a GPU', [CUDA], ['cpu']],
    ['a GPU that Windows lends', ['dev/dxg', RADEON, CUDA], ['cpu', 'webgpu', 'cuda']],
  ] as const) {
    it(`under Linux with ${title}: ${devices.join(', ')}`, () => {
      expect(devicesWith(files, 'linux')).to.deep.equal(devices)
    })
  }

  it('include WebGPU under macOS and Windows, which bring a driver', () => {
    expect(devicesWith([], 'darwin')).to.deep.equal(['cpu', 'webgpu'])
    expect(devicesWith([], 'win32')).to.deep.equal(['cpu', 'webgpu'])
  })

  it('leave out what ONNX Runtime was not built for', () => {
    expect(devicesWith(['dev/dri/renderD128', 'dev/nvidia0', RADEON, CUDA], 'linux', ['cpu'])).to.deep.equal([
      'cpu',
    ])
  })

  it('are told of this machine without a wait', () => {
    const start = performance.now()
    expect(availableDevices()[0]).to.equal('cpu')
    expect(performance.now() - start).to.be.below(100)
  })
})

function devicesWith(
  files: readonly string[],
  platform: string,
  backends = ['cpu', 'webgpu', 'cuda'],
): string[] {
  const root = temporaryFolder()
  try {
    for (const file of files) {
      mkdirSync(dirname(join(root, file)), { recursive: true })
      writeFileSync(join(root, file), '')
    }
    return availableDevices({ platform, root, backends, libraries: join(root, 'ort') })
  } finally {
    rmSync(root, { recursive: true })
  }
}

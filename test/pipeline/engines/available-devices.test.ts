import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect } from 'chai'
import { availableDevices, type Host } from '../../../pipeline/engines/device/available-devices.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const RADEON = 'usr/share/vulkan/icd.d/radeon_icd.x86_64.json'
const LLVMPIPE = 'usr/share/vulkan/icd.d/lvp_icd.x86_64.json'
const OWN = 'opt/gpu/icd.d/nvidia_icd.json'
const CUDA = 'ort/libonnxruntime_providers_cuda.so'

describe('The available devices', () => {
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

  for (const [title, file, env, devices] of [
    ['that a variable names', OWN, { VK_DRIVER_FILES: `/${OWN}` }, ['cpu', 'webgpu']],
    ['that the older variable names', OWN, { VK_ICD_FILENAMES: `/x.json:/${OWN}` }, ['cpu', 'webgpu']],
    ['in a folder that a variable names', OWN, { VK_DRIVER_FILES: '/opt/gpu/icd.d' }, ['cpu', 'webgpu']],
    ['that a variable adds', OWN, { VK_ADD_DRIVER_FILES: `/${OWN}` }, ['cpu', 'webgpu']],
    [
      'in a folder of data',
      'opt/share/vulkan/icd.d/a.json',
      { XDG_DATA_DIRS: '/opt/share' },
      ['cpu', 'webgpu'],
    ],
    ['in the home of a user', 'me/.local/share/vulkan/icd.d/a.json', { HOME: '/me' }, ['cpu', 'webgpu']],
    ['that no variable names', OWN, {}, ['cpu']],
    ['in a folder that a variable hides', RADEON, { VK_DRIVER_FILES: '/nothing.json' }, ['cpu']],
    ['in a file that is no manifest', RADEON.replace('.json', '.old'), {}, ['cpu']],
  ] as const) {
    it(`under Linux with a GPU and a driver ${title}: ${devices.join(', ')}`, () => {
      expect(devicesWith(['dev/nvidia0', file], 'linux', { env })).to.deep.equal(devices)
    })
  }

  it('include WebGPU under macOS and Windows, which bring a driver', () => {
    expect(devicesWith([], 'darwin')).to.deep.equal(['cpu', 'webgpu'])
    expect(devicesWith([], 'win32')).to.deep.equal(['cpu', 'webgpu'])
  })

  it('leave out a device that ONNX Runtime was not built with', () => {
    const files = ['dev/dri/renderD128', 'dev/nvidia0', RADEON, CUDA]
    expect(devicesWith(files, 'linux', { backends: ['cpu'] })).to.deep.equal(['cpu'])
  })

  it('are listed quickly on this machine', () => {
    const start = performance.now()
    expect(availableDevices()[0]).to.equal('cpu')
    expect(performance.now() - start).to.be.below(100)
  })
})

function devicesWith(
  files: readonly string[],
  platform: string,
  { env = {}, backends = ['cpu', 'webgpu', 'cuda'] }: Partial<Pick<Host, 'env' | 'backends'>> = {},
): string[] {
  const root = temporaryFolder()
  try {
    for (const file of files) {
      mkdirSync(dirname(join(root, file)), { recursive: true })
      writeFileSync(join(root, file), '')
    }
    return availableDevices({ platform, root, env, backends, libraries: join(root, 'ort') })
  } finally {
    rmSync(root, { recursive: true })
  }
}

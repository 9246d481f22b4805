import '../onnx/no-telemetry.ts'
import { existsSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { listSupportedBackends } from 'onnxruntime-node'
import type { Device } from '../engine.ts'
import { type Environment, environment, vulkanDrivers } from './vulkan-drivers.ts'

export interface Host {
  readonly platform: string
  /** The root folder of the file system. */
  readonly root: string
  readonly env: Environment
  /** The backends that ONNX Runtime was built with. */
  readonly backends: readonly string[]
  /** The folder of ONNX Runtime's libraries. */
  readonly libraries: string
}

/** The names of GPUs in /dev: NVIDIA's, and the one that Windows lends to WSL. */
const GPU = /^(nvidia\d+|dxg)$/
/** The names of GPUs of any make in /dev/dri. */
const RENDER_NODE = /^renderD\d+$/
/** Vulkan drivers that compute on the CPU: llvmpipe, SwiftShader. */
const SOFTWARE_DRIVER = /^(lvp|lavapipe|(vk_)?swiftshader)/i

/**
 * The devices that a model may run on here, the CPU first. Trying a device takes a second or more. So a device is
 * listed only if its hardware shows: under Linux, where most machines are servers without a GPU, in a few files.
 */
export function availableDevices(host: Host = thisHost()): Device[] {
  const devices: Device[] = ['cpu']
  if (host.backends.includes('webgpu') && mayHaveWebGpu(host)) devices.push('webgpu')
  if (host.backends.includes('cuda') && mayHaveCuda(host)) devices.push('cuda')
  return devices
}

function thisHost(): Host {
  const packageDir = dirname(dirname(createRequire(import.meta.url).resolve('onnxruntime-node')))
  return {
    platform: process.platform,
    root: '/',
    env: environment(),
    backends: listSupportedBackends().map(({ name }) => name),
    libraries: join(packageDir, 'bin', 'napi-v6', process.platform, process.arch),
  }
}

/** macOS and Windows come with a driver. */
function mayHaveWebGpu({ platform, root, env }: Host): boolean {
  if (platform !== 'linux') return true
  const gpus = [
    ...names(join(root, 'dev')).filter((name) => GPU.test(name)),
    ...names(join(root, 'dev/dri')).filter((name) => RENDER_NODE.test(name)),
  ]
  return gpus.length > 0 && vulkanDrivers(root, env).some((name) => !SOFTWARE_DRIVER.test(name))
}

/** ONNX Runtime lists CUDA even where the library for CUDA is missing, which the user has to add. */
function mayHaveCuda({ root, libraries }: Host): boolean {
  if (!existsSync(join(libraries, 'libonnxruntime_providers_cuda.so'))) return false
  return names(join(root, 'dev')).some((name) => GPU.test(name))
}

function names(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

import { createRequire } from 'node:module'
import type { MakePipeline } from '../broker/pipeline.ts'
import { availableDevices } from './engines/device/available-devices.ts'

/** What the packages of the pipeline find on this machine. */
export interface MachineFacts {
  readonly devices: readonly string[]
  readonly onnxRuntime: string
  readonly imageLibrary: string
}

/** A pipeline without methods, whose info is the answer. It fails where one of the native packages cannot be loaded. */
export async function makePipeline() {
  const { default: sharp } = await import('sharp')
  const { version } = createRequire(import.meta.url)('onnxruntime-node/package.json') as { version: string }
  const info: MachineFacts = {
    devices: availableDevices(),
    onnxRuntime: version,
    imageLibrary: `sharp ${sharp.versions.sharp}`,
  }
  return { methods: [], info }
}

makePipeline satisfies MakePipeline

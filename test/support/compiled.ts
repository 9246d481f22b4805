import { rmSync } from 'node:fs'
import { open, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type OnnxEngine, openOnnx } from '../../pipeline/engines/onnx/onnx.ts'
import { type CompileOptions, compileGraph } from '../../pipeline/graph/compile.ts'
import type { WeightStore } from '../../pipeline/graph/weight-store.ts'
import type { LayerList } from '../../pipeline/models/networks/layer-list.ts'
import { temporaryFolder } from './temporary-folder.ts'

/** Compiles into a new folder, passes the model's path to `use`, and then removes the folder. */
export async function withCompiled<T>(
  list: LayerList,
  weights: WeightStore,
  options: Partial<CompileOptions>,
  use: (modelPath: string) => Promise<T>,
): Promise<T> {
  const folder = temporaryFolder()
  try {
    const modelPath = join(folder, 'model.onnx')
    const data = await open(join(folder, 'model.data'), 'w')
    const all = { preprocessing: 'none', input: 'float32', dataFile: 'model.data', ...options } as const
    const write = async (piece: Uint8Array) => void (await data.write(piece))
    const bytes = await compileGraph(list, weights, all, write).finally(() => data.close())
    await writeFile(modelPath, bytes)
    return await use(modelPath)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Where networks compute in tests: `TANDEM_TEST_DEVICE=webgpu` compares a GPU with the numbers of Keras. */
const DEVICE = process.env.TANDEM_TEST_DEVICE === 'webgpu' ? 'webgpu' : 'cpu'

export async function withEngine<T>(modelPath: string, use: (engine: OnnxEngine) => Promise<T>): Promise<T> {
  const engine = await openOnnx({ modelPath, threads: 2, device: DEVICE, spin: false })
  try {
    return await use(engine)
  } finally {
    await engine.close()
  }
}

export const bytesOf = (values: Float32Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength)

/** The largest difference, relative to the largest expected number. */
export function relativeError(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  const largest = Math.max(...Array.from(expected, Math.abs))
  return Math.max(...Array.from(expected, (value, i) => Math.abs(value - (found[i] ?? Number.NaN)))) / largest
}

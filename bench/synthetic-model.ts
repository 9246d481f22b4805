import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expectedArrays } from '../pipeline/graph/shapes.ts'
import { catalog } from '../pipeline/models/catalog.ts'
import { goldenJson } from '../test/support/golden.ts'
import { noiseImage, smoothImage } from '../test/support/synthetic.ts'
import { writeSyntheticH5 } from '../test/support/synthetic-h5.ts'
import { startService } from './http.ts'

export interface Model {
  readonly name: string
  /** For a service of it. */
  readonly settings: Record<string, string>
  /** The path of the compiled file. */
  path(): string
}

const folder = join(tmpdir(), 'tandem-bench')

/** Weights by formula, as many as the real ones, and compiled by a start of the service. */
export async function prepared(name: string): Promise<Model> {
  const model = await weighted(name)
  if (!compiledIn(cacheOf(name))) {
    const service = await startService({ ...model.settings, DEVICE: 'cpu' })
    await service.seen('model state', { state: 'ready' })
    await service.stop()
  }
  return model
}

/** Weights by formula, which the next start of the service compiles. */
export async function weighted(name: string): Promise<Model> {
  mkdirSync(folder, { recursive: true })
  const weights = join(folder, `${name}.h5`)
  const cache = cacheOf(name)
  const settings = { MODELS: `${name}=${weights}`, WEIGHTS_DIR: cache, CACHE_ENTRIES: '0' }
  if (!existsSync(weights)) await writeSyntheticH5(name, weights)
  return { name, settings, path: () => join(cache, compiledIn(cache) ?? '') }
}

/** Removes the compiled file, so that the next start compiles. */
export function forget(name: string): void {
  rmSync(cacheOf(name), { recursive: true, force: true })
}

const cacheOf = (name: string): string => join(folder, `cache-${name}`)

export function parametersOf(name: string): number {
  const entry = catalog.get(name)
  if (!entry) throw new Error(`The catalog has no ${name}.`)
  let count = 0
  for (const arrays of expectedArrays(entry.topology()).values())
    for (const { shape } of arrays) count += shape.reduce((product, size) => product * size, 1)
  return count
}

function compiledIn(cache: string): string | undefined {
  if (!existsSync(cache)) return undefined
  // Folders inside that of a compiled model have saved graphs.
  return readdirSync(cache, { recursive: true, encoding: 'utf8' })
    .filter((entry) => entry.endsWith('.onnx'))
    .sort((a, b) => a.length - b.length)[0]
}

/** The image of the golden answer, then others. */
export function pixelsOf(name: string, batch: number): Uint8Array {
  const [height = 224, width = 224] = catalog.get(name)?.topology().inputShape ?? []
  const pixels = new Uint8Array(batch * height * width * 3)
  pixels.set(noiseImage(batch * height, width))
  pixels.set(smoothImage(height, width))
  return pixels
}

/** What Keras answers to the first image of `pixelsOf`. */
export function golden(name: string): number[] {
  return goldenJson<{ softmax: number[] }>('applications', `${name}.expected.json`).softmax
}

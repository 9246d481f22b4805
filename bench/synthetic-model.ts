import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { catalog } from '../pipeline/models/catalog.ts'
import { goldenJson } from '../test/support/golden.ts'
import { noiseImage, smoothImage } from '../test/support/synthetic.ts'
import { writeSyntheticH5 } from '../test/support/synthetic-h5.ts'
import { startService } from './http.ts'

export interface Model {
  readonly name: string
  /** For a service of it. */
  readonly settings: Record<string, string>
  /** The compiled file. */
  readonly path: string
}

const folder = join(tmpdir(), 'tandem-bench')

/** Weights by formula, as many as the real ones, and compiled by a start of the service. */
export async function prepared(name: string): Promise<Model> {
  mkdirSync(folder, { recursive: true })
  const weights = join(folder, `${name}.h5`)
  const cache = join(folder, `cache-${name}`)
  const settings = { MODELS: `${name}=${weights}`, WEIGHTS_DIR: cache, CACHE_ENTRIES: '0' }
  if (!existsSync(weights)) await writeSyntheticH5(name, weights)
  if (!compiledIn(cache)) {
    const service = await startService({ ...settings, DEVICE: 'cpu' })
    await service.seen('model state', { state: 'ready' })
    await service.stop()
  }
  return { name, settings, path: join(cache, compiledIn(cache) ?? '') }
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

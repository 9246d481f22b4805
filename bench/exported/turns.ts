import '../../pipeline/engines/onnx/no-telemetry.ts'
import { open, writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import * as ort from 'onnxruntime-node'
import { sessionOptions } from '../../pipeline/engines/onnx/onnx-session-options.ts'
import { compileGraph } from '../../pipeline/graph/compile.ts'
import type { WeightStore } from '../../pipeline/graph/weight-store.ts'
import { catalog } from '../../pipeline/models/catalog.ts'
import type { CatalogEntry } from '../../pipeline/models/catalog-entry.ts'
import type { LayerList } from '../../pipeline/models/networks/layer-list.ts'
import { bindWeights } from '../../pipeline/weights/bind/bind-weights.ts'
import { innerPlaces } from '../../pipeline/weights/bind/inner-places.ts'
import { weightStoreOf } from '../../pipeline/weights/bind/weight-store-of.ts'
import { syntheticLayers } from '../../test/support/synthetic-h5.ts'
import { syntheticGroups } from '../../test/support/synthetic-store.ts'
import { pixelsOf } from '../synthetic-model.ts'
import { type Exporter, fail } from './emission.ts'
import { exportedGraph } from './exported-graph.ts'

/** One of the graphs that are run in turns. */
export interface Turns {
  answer(batch: number): Promise<Float32Array>
  run(batch: number, forMs: number): Promise<Turn>
  close(): Promise<void>
}

export interface Turn {
  /** The milliseconds of each run. */
  readonly times: readonly number[]
  /** The milliseconds of both cores for one run, on average; other programs on the machine change little about this figure. */
  readonly cpuMs: number
}

type Write = (bytes: Uint8Array) => Promise<void>

/** The network as Tandem compiles it: takes bytes, and prepares the pixels itself. */
export async function openCompiled(name: string, folder: string): Promise<Turns> {
  const { entry, list, weights } = network(name)
  const { preprocessing } = entry
  const path = await written(folder, 'compiled', (dataFile, write) =>
    compileGraph(list, weights, { preprocessing, input: 'uint8', dataFile }, write),
  )
  return turns(path, (batch) => new ort.Tensor('uint8', pixelsOf(name, batch), [batch, ...sides(entry), 3]))
}

/** The network as an exporter writes it: takes numbers that have been prepared before. */
export async function openExported(name: string, exporter: Exporter, folder: string): Promise<Turns> {
  const { entry, list, weights } = network(name)
  const path = await written(folder, exporter, (dataFile, write) =>
    exportedGraph(list, weights, exporter, dataFile, write),
  )
  return turns(path, (batch) => {
    const numbers = prepare(entry, pixelsOf(name, batch))
    const [height, width] = sides(entry)
    if (exporter === 'tf2onnx') return new ort.Tensor('float32', numbers, [batch, height, width, 3])
    return new ort.Tensor('float32', asPlanes(numbers, height * width), [batch, 3, height, width])
  })
}

interface Network {
  readonly entry: CatalogEntry
  readonly list: LayerList
  readonly weights: WeightStore
}

function network(name: string): Network {
  const entry = catalog.get(name) ?? fail(`the catalog has no ${name}`)
  const list = withoutSoftmax(entry.topology())
  const groups = syntheticGroups(syntheticLayers(name))
  const bound = bindWeights(name, list, innerPlaces(list, new Set()), groups)
  return { entry, list, weights: weightStoreOf(name, bound, () => undefined) }
}

/** With weights by formula, a softmax would leave one class, and the answers of different networks would look alike. */
function withoutSoftmax(list: LayerList): LayerList {
  const layers = list.layers.map((layer) =>
    layer.name === list.output ? { ...layer, config: { ...layer.config, activation: 'linear' } } : layer,
  )
  return { ...list, layers }
}

async function written(
  folder: string,
  name: string,
  build: (dataFile: string, write: Write) => Promise<Uint8Array>,
): Promise<string> {
  const [path, dataFile] = [join(folder, `${name}.onnx`), `${name}.data`]
  const data = await open(join(folder, dataFile), 'w')
  const bytes = await build(dataFile, async (piece) => void (await data.write(piece)))
  await data.close()
  await writeFile(path, bytes)
  return path
}

/** All are opened with the options of the service, on all cores. A thread that waits sleeps, so that CPU time is work. */
async function turns(path: string, input: (batch: number) => ort.Tensor): Promise<Turns> {
  const options = sessionOptions({ device: 'cpu', threads: availableParallelism(), spin: false })
  const session = await ort.InferenceSession.create(path, options)
  const feeds = new Map<number, Record<string, ort.Tensor>>()
  const feed = (batch: number) => {
    const known = feeds.get(batch) ?? { [session.inputNames[0] ?? '']: input(batch) }
    feeds.set(batch, known)
    return known
  }
  return {
    async answer(batch) {
      const result = await session.run(feed(batch))
      return result[session.outputNames[0] ?? '']?.data as Float32Array
    },
    async run(batch, forMs) {
      const times: number[] = []
      // The threads of the others have gone to sleep when the first run ends.
      await session.run(feed(batch))
      const before = process.cpuUsage()
      const end = performance.now() + forMs
      do {
        const start = performance.now()
        await session.run(feed(batch))
        times.push(performance.now() - start)
      } while (performance.now() < end)
      const { user, system } = process.cpuUsage(before)
      return { times, cpuMs: (user + system) / 1000 / times.length }
    },
    close: () => session.release(),
  }
}

function sides(entry: CatalogEntry): [number, number] {
  const [height = 224, width = 224] = entry.topology().inputShape
  return [height, width]
}

/** What a client of an exported network does by itself: Keras' preprocess_input. */
function prepare({ preprocessing }: CatalogEntry, pixels: Uint8Array): Float32Array {
  if (preprocessing === 'none') return Float32Array.from(pixels)
  if (preprocessing === 'tf') return Float32Array.from(pixels, (v) => v / 127.5 - 1)
  if (preprocessing !== 'torch') return fail(`bench/exported has no preprocessing ${preprocessing}`)
  const [means, deviations] = [
    [0.485, 0.456, 0.406],
    [0.229, 0.224, 0.225],
  ]
  return Float32Array.from(pixels, (v, i) => (v / 255 - (means?.[i % 3] ?? 0)) / (deviations?.[i % 3] ?? 1))
}

function asPlanes(numbers: Float32Array, area: number): Float32Array {
  return Float32Array.from(numbers, (_, i) => {
    const [image, channel, place] = [Math.floor(i / (3 * area)), Math.floor(i / area) % 3, i % area]
    return numbers[(image * area + place) * 3 + channel] ?? 0
  })
}

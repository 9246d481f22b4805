import { tmpdir } from 'node:os'
import { type BareGraph, openBareGraph } from '../engines/onnx/bare-graph.ts'
import { relativeDifference } from '../engines/relative-difference.ts'
import { compileGraph } from '../graph/compile.ts'
import { otherOutputs } from '../graph/computed-outputs.ts'
import { foldedNormalizations, fusedPools, neededLayers } from '../graph/plan.ts'
import { planLayers } from '../graph/plan-layers.ts'
import { temporaryModel } from '../graph/temporary-model.ts'
import type { WeightStore } from '../graph/weight-store.ts'
import type { WinogradForm, WinogradShape } from '../graph/winograd/form.ts'
import type { Layer, LayerList } from '../models/networks/layer-list.ts'
import { candidateForms, isWorthMeasuring, multiplications } from './candidates.ts'

/** A convolution by itself, with the pooling that may be computed together with it. */
export interface LayerAlone {
  readonly layer: Layer
  readonly pool: Layer | undefined
  readonly shape: WinogradShape
  /** Layers with the same text take the same time. */
  readonly sizes: string
}

/** The convolutions that Winograd's way may make faster. */
export function eligibleLayers(list: LayerList): { eligible: LayerAlone[]; convolutions: number } {
  const plans = planLayers(list)
  const outputs = [list.output, ...otherOutputs(list, plans).map(({ name }) => name)]
  const layers = neededLayers(list, outputs)
  const folded = foldedNormalizations(layers, plans, outputs)
  const pools = fusedPools(layers, plans, outputs, folded)
  const eligible = layers.flatMap((layer): LayerAlone[] => {
    const shape = plans.get(layer.name)?.winograd
    if (!shape || !isWorthMeasuring(shape)) return []
    const { height, width, channels, filters } = shape
    const sizes = JSON.stringify([height, width, channels, filters, layer.config.padding ?? 'valid'])
    return [{ layer, pool: pools.get(layer.name), shape, sizes }]
  })
  return { eligible, convolutions: layers.filter(({ className }) => /Conv/.test(className)).length }
}

export interface Measuring {
  readonly weights: WeightStore
  readonly threads: number
  readonly spin: boolean
}

/** A form that takes this much longer than the best one in its first run is not measured further. */
const HOPELESS = 1.4
const HOPELESS_AT_FIRST = 3
const RUNS = 5
const ENOUGH_MS = 120

/** Milliseconds for one image. Without a form: as a direct convolution. `bestMs` is the time that is to be beaten. */
export function timeOf(
  alone: LayerAlone,
  form: WinogradForm | undefined,
  bestMs: number,
  measuring: Measuring,
): Promise<number> {
  // The weights do not matter for the time, and reading and transforming them takes longer than all runs.
  const weights = blank(measuring.weights)
  return withLayer(alone, form, { ...measuring, weights }, async (graph) => {
    // The first run allocates memory.
    const start = performance.now()
    await graph.run()
    const first = performance.now() - start
    return first > bestMs * HOPELESS_AT_FIRST ? first : fastest(graph, bestMs * HOPELESS)
  })
}

function blank(weights: WeightStore): WeightStore {
  return {
    ...weights,
    arrays: (layer) => weights.arrays(layer),
    async read(layer, index) {
      const shape = weights.arrays(layer)[index]?.shape ?? []
      return new Float32Array(shape.reduce((product, size) => product * size, 1))
    },
  }
}

/**
 * A convolution whose numbers leave this tolerance stays direct. It is relative to the largest number of the direct
 * convolution; rounding makes about 1e-5.
 */
const TOLERANCE = 1e-4

/** Whether a form gives the numbers of the direct convolution, with the weights of the layer. */
export async function isExact(alone: LayerAlone, form: WinogradForm, measuring: Measuring): Promise<boolean> {
  const direct = await withLayer(alone, undefined, measuring, async (graph) => (await graph.run()).slice())
  const difference = (graph: BareGraph) => graph.run().then((found) => relativeDifference(found, direct))
  return (await withLayer(alone, form, measuring, difference)) <= TOLERANCE
}

export const formsFor = ({ shape }: LayerAlone): WinogradForm[] => candidateForms(shape)

/** Layers of the same sizes together, those with the most work first. */
export function groupsOf(layers: readonly LayerAlone[]): LayerAlone[][] {
  const groups = new Map<string, LayerAlone[]>()
  for (const layer of layers) groups.set(layer.sizes, [...(groups.get(layer.sizes) ?? []), layer])
  const work = (group: LayerAlone[]) => group.reduce((sum, { shape }) => sum + multiplications(shape), 0)
  return [...groups.values()].sort((a, b) => work(b) - work(a))
}

/** The shortest of some runs: whatever else the machine does makes a run longer. */
async function fastest(graph: BareGraph, hopelessMs: number): Promise<number> {
  let best = Number.POSITIVE_INFINITY
  const end = performance.now() + ENOUGH_MS
  for (let run = 0; run < RUNS && (run < 2 || performance.now() < end); run++) {
    const start = performance.now()
    await graph.run()
    best = Math.min(best, performance.now() - start)
    if (best > hopelessMs) break
  }
  return best
}

async function withLayer<T>(
  { layer, pool, shape }: LayerAlone,
  form: WinogradForm | undefined,
  { weights, threads, spin }: Measuring,
  use: (graph: BareGraph) => Promise<T>,
): Promise<T> {
  const { height, width, channels } = shape
  const input: Layer = { name: `${layer.name} input`, className: 'InputLayer', config: {}, inputs: [] }
  const list: LayerList = {
    inputShape: [height, width, channels],
    layers: [input, { ...layer, inputs: [input.name] }, ...(pool ? [{ ...pool, inputs: [layer.name] }] : [])],
    output: pool?.name ?? layer.name,
  }
  const winograd = form ? new Map([[layer.name, form]]) : undefined
  const model = await temporaryModel(
    layer.name,
    (dataFile, write) =>
      compileGraph(
        list,
        weights,
        { preprocessing: 'none', input: 'float32', dataFile, ...(winograd && { winograd }) },
        write,
      ),
    FOLDERS,
  )
  try {
    const numbers = arbitrary(height * width * channels)
    const graph = await openBareGraph(
      model.modelPath,
      { threads, spin },
      { numbers, shape: [1, height, width, channels] },
    )
    try {
      return await use(graph)
    } finally {
      await graph.close()
    }
  } finally {
    await model.release()
  }
}

/** In memory where the system has such a folder: a layer lives for a second. */
const FOLDERS: readonly string[] = ['/dev/shm', tmpdir()]

/** Numbers as after a ReLU, some of them zero, the same each time. */
function arbitrary(length: number): Float32Array {
  return new Float32Array(length).map((_, i) => Math.max(0, (Math.imul(i, 2654435761) >>> 8) / 2 ** 23 - 0.5))
}

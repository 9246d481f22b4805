import { tmpdir } from 'node:os'
import { type BareGraph, openBareGraph } from '../engines/onnx/bare-graph.ts'
import { compileGraph } from '../graph/compile.ts'
import { foldedNormalizations, fusedPools, neededLayers } from '../graph/plan.ts'
import { planLayers } from '../graph/plan-layers.ts'
import { temporaryModel } from '../graph/temporary-model.ts'
import type { WeightStore } from '../graph/weight-store.ts'
import { formName, type WinogradForm, type WinogradShape } from '../graph/winograd/form.ts'
import type { Layer, LayerList } from '../models/networks/layer-list.ts'
import { candidateForms, isWorthMeasuring, multiplications } from './candidates.ts'
import type { TunedLayer } from './tuning.ts'

/** A convolution by itself, with the pooling that may be computed together with it. */
export interface LayerAlone {
  readonly layer: Layer
  readonly pool: Layer | undefined
  readonly shape: WinogradShape
  /** Layers with the same text have the same sizes. */
  readonly sizes: string
}

/** The convolutions that Winograd's way may make faster, those with the most work first. */
export function eligibleLayers(list: LayerList): { eligible: LayerAlone[]; convolutions: number } {
  const plans = planLayers(list)
  const layers = neededLayers(list)
  const folded = foldedNormalizations(layers, plans, list.output)
  const pools = fusedPools(layers, plans, list.output, folded)
  const eligible = layers.flatMap((layer): LayerAlone[] => {
    const shape = plans.get(layer.name)?.winograd
    if (!shape || !isWorthMeasuring(shape)) return []
    const { height, width, channels, filters } = shape
    const sizes = JSON.stringify([height, width, channels, filters, layer.config.padding ?? 'valid'])
    return [{ layer, pool: pools.get(layer.name), shape, sizes }]
  })
  eligible.sort((a, b) => multiplications(b.shape) - multiplications(a.shape))
  return { eligible, convolutions: layers.filter(({ className }) => /Conv/.test(className)).length }
}

export interface Measuring {
  readonly weights: WeightStore
  readonly threads: number
  readonly spin: boolean
}

/**
 * A convolution whose numbers leave this tolerance stays direct. It is relative to the largest number of the direct
 * convolution; rounding makes about 1e-5.
 */
const TOLERANCE = 1e-4
/** A form that takes this much longer than the best one in its first run is not measured further. */
const HOPELESS = 1.4
const RUNS = 5
const ENOUGH_MS = 150

/** What a layer takes when computed directly, for comparison with its forms. */
export interface DirectLayer {
  readonly numbers: Float32Array
  readonly ms: number
}

export async function measureDirect(alone: LayerAlone, measuring: Measuring): Promise<DirectLayer> {
  return withLayer(alone, undefined, measuring, async (graph) => {
    const numbers = (await graph.run()).slice()
    return { numbers, ms: await fastest(graph, Number.POSITIVE_INFINITY) }
  })
}

/** Undefined if the form is hopeless or its numbers are wrong. */
export async function measureForm(
  alone: LayerAlone,
  form: WinogradForm,
  direct: DirectLayer,
  bestMs: number,
  measuring: Measuring,
): Promise<TunedLayer | undefined> {
  return withLayer(alone, form, measuring, async (graph) => {
    const error = relativeDifference(await graph.run(), direct.numbers)
    if (!(error <= TOLERANCE)) return undefined
    const ms = await fastest(graph, bestMs * HOPELESS)
    return { name: alone.layer.name, form: formName(form), directMs: direct.ms, ms, error }
  })
}

/** The error of a form for the weights of another layer with the same sizes. */
export async function errorOf(alone: LayerAlone, form: WinogradForm, measuring: Measuring): Promise<number> {
  const direct = await withLayer(alone, undefined, measuring, async (graph) => (await graph.run()).slice())
  return withLayer(alone, form, measuring, async (graph) => relativeDifference(await graph.run(), direct))
}

export const isExact = (error: number): boolean => error <= TOLERANCE

export const formsFor = ({ shape }: LayerAlone): WinogradForm[] => candidateForms(shape)

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

function relativeDifference(found: Float32Array, expected: Float32Array): number {
  if (found.length !== expected.length) return Number.NaN
  let [largest, difference] = [0, 0]
  for (let i = 0; i < expected.length; i++) {
    const value = expected[i] ?? 0
    largest = Math.max(largest, Math.abs(value))
    difference = Math.max(difference, Math.abs(value - (found[i] ?? Number.NaN)))
  }
  return difference === 0 ? 0 : difference / largest
}

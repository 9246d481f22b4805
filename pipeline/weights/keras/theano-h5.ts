import { PipelineError } from '../../errors.ts'
import { inferShapes } from '../../graph/shapes.ts'
import type { Kernels } from '../../models/model-settings.ts'
import type { LayerList } from '../../models/networks/layer-list.ts'
import { type WantedGroup, wantedGroups } from '../bind/wanted-groups.ts'
import type { Hdf5Dataset } from '../hdf5/hdf5-dataset.ts'
import type { Hdf5Reader } from '../hdf5/hdf5-reader.ts'
import { loadError } from '../source/model-file-error.ts'
import type { ModelSource } from '../source/model-source.ts'
import type { SourceArray, SourceGroup } from '../source/source-array.ts'
import { readWhole } from './keras-h5.ts'
import { correlationKernel, type FlattenedMap, rowsInHwcOrder } from './theano-order.ts'

// The first number of VGG-16's weights, in the files of either orientation.
const VGG16_FIRST = { correlation: 0.42947, rotated: -0.3501 } as const
const TOLERANCE = 1e-4

const GROUP = /^layer_(\d+)$/

/**
 * Whether the file is of Keras 0.3: groups `layer_0`, `layer_1`, ... with arrays `param_0`, `param_1`, in Theano's
 * order.
 */
export async function isTheano(file: Hdf5Reader): Promise<boolean> {
  return (await file.attributeNames('/')).includes('nb_layers')
}

export async function theanoSource(file: Hdf5Reader): Promise<ModelSource> {
  return {
    format: 'theano-h5',
    name: file.name,
    groupNames: await theanoGroupNames(file),
    groups: async ({ list, places }, kernels) => ({
      places,
      groups: await theanoGroups(file, list, wantedGroups(list, places), kernels),
    }),
    close: () => file.close(),
  }
}

async function theanoGroupNames(file: Hdf5Reader): Promise<string[]> {
  const number = (name: string) => Number(GROUP.exec(name)?.[1])
  return (await file.members('/')).filter((name) => GROUP.test(name)).sort((a, b) => number(a) - number(b))
}

/** The groups that hold arrays, in the file's order. The arrays are converted for the layers at the same places. */
async function theanoGroups(
  file: Hdf5Reader,
  list: LayerList,
  wanted: readonly WantedGroup[],
  kernels: Kernels | undefined,
): Promise<SourceGroup[]> {
  const found: { name: string; datasets: Hdf5Dataset[] }[] = []
  for (const name of await theanoGroupNames(file)) {
    const datasets = await datasetsOf(file, name)
    if (datasets.length > 0) found.push({ name, datasets })
  }
  const kernel = found.flatMap(({ datasets }) => datasets).find(isKernel)
  const turned = kernel !== undefined && (kernels ?? (await kernelsIn(file, kernel))) === 'rotated'
  const flattened = flattenedInputs(list)
  return found.map(({ name, datasets }, i) => {
    const map = flattened.get(wanted[i]?.slots[0]?.layer ?? '')
    return { name, arrays: datasets.map((dataset) => asKeras(file, dataset, map, turned)) }
  })
}

const isKernel = ({ shape }: Hdf5Dataset): boolean => shape.length === 4

async function datasetsOf(file: Hdf5Reader, group: string): Promise<Hdf5Dataset[]> {
  const names = await file.members(`/${group}`)
  const datasets: Hdf5Dataset[] = []
  for (let i = 0; i < names.length; i++) {
    const dataset = await file.dataset(`/${group}/param_${i}`)
    if (!dataset)
      throw loadError(`In ${file.name}, ${group} holds ${names.length} arrays, and no param_${i}.`)
    await file.probe(dataset)
    datasets.push(dataset)
  }
  return datasets
}

function asKeras(
  file: Hdf5Reader,
  dataset: Hdf5Dataset,
  map: FlattenedMap | undefined,
  turned: boolean,
): SourceArray {
  const { path, shape } = dataset
  const name = path.slice(1)
  if (isKernel(dataset)) {
    const [out = 0, channels = 0, height = 0, width = 0] = shape
    return {
      name,
      shape: [height, width, channels, out],
      read: async () => correlationKernel(await readWhole(file, dataset), shape, turned),
    }
  }
  if (shape.length === 2 && map && map.height * map.width * map.channels === shape[0]) {
    return { name, shape, read: () => rowsInHwcOrder(file, dataset, map) }
  }
  return { name, shape, read: () => readWhole(file, dataset) }
}

/** Such a file does not record the orientation of its kernels, which is recognised only for VGG-16. */
async function kernelsIn(file: Hdf5Reader, kernel: Hdf5Dataset): Promise<Kernels> {
  let first = Number.NaN
  const corner = { ...kernel, shape: kernel.shape.map(() => 1) }
  await file.read(corner, ([value]) => {
    first = value ?? first
  })
  for (const kernels of ['correlation', 'rotated'] as const) {
    if (Math.abs(first - VGG16_FIRST[kernels]) < TOLERANCE) return kernels
  }
  throw new PipelineError(
    'ERR_MODEL_SETTINGS',
    `${file.name} does not say whether its convolution kernels are rotated by 180°: ` +
      `set kernels to "correlation" or "rotated" (if one gives senseless predictions, use the other).`,
  )
}

/** The map's size for each layer whose input is a flattened map, still in the map's order. */
function flattenedInputs(list: LayerList): Map<string, FlattenedMap> {
  const shapes = inferShapes(list)
  // By the layer that has such an output, and by the layer that has such an input.
  const outputs = new Map<string, FlattenedMap>()
  const found = new Map<string, FlattenedMap>()
  for (const { name, className, inputs } of list.layers) {
    const [input = ''] = inputs
    const [height = 0, width = 0, channels = 0, ...more] = shapes.get(input) ?? []
    const before = outputs.get(input)
    if (before) found.set(name, before)
    if (className === 'Flatten' && channels > 0 && more.length === 0) {
      outputs.set(name, { height, width, channels })
    } else if (before && ORDER_KEPT.has(className)) outputs.set(name, before)
  }
  return found
}

const ORDER_KEPT: ReadonlySet<string> = new Set(['Activation', 'Dropout', 'LeakyReLU', 'ReLU', 'Flatten'])

import type { Hdf5Dataset } from '../hdf5/hdf5-dataset.ts'
import type { Hdf5Reader } from '../hdf5/hdf5-reader.ts'
import { loadError, quote } from '../source/model-file-error.ts'
import { parseJson } from '../source/parse-json.ts'
import type { SourceArray, SourceGroup } from '../source/source-array.ts'

/** The place of the layers in an .h5 file: the root, if the file holds only weights. */
export type KerasRoot = '/' | '/model_weights'

export async function kerasRoot(file: Hdf5Reader): Promise<KerasRoot | undefined> {
  if (await file.isGroup('/model_weights')) return '/model_weights'
  return (await hasList(file, '/', 'layer_names')) ? '/' : undefined
}

/** The topology in the file; undefined when there is none. */
export async function modelConfig(file: Hdf5Reader): Promise<unknown> {
  const [text] = (await file.texts('/', 'model_config')) ?? []
  return text === undefined ? undefined : parseJson(text, `The model_config in ${file.name}`)
}

/** The version of Keras that wrote the file: 3, or 2 for all before. */
export async function kerasVersion(file: Hdf5Reader, root: KerasRoot): Promise<number> {
  const [version] =
    (await file.texts('/', 'keras_version')) ?? (await file.texts(root, 'keras_version')) ?? []
  return majorVersion(version)
}

export const majorVersion = (version: unknown): number =>
  typeof version === 'string' && Number.parseInt(version, 10) >= 3 ? 3 : 2

export async function kerasLayerNames(file: Hdf5Reader, root: KerasRoot): Promise<string[]> {
  return splitList(file, root, 'layer_names')
}

/** One group for every layer, in the order of the file. `optimizer_weights` is ignored. */
export async function kerasGroups(file: Hdf5Reader, root: KerasRoot): Promise<SourceGroup[]> {
  const groups: SourceGroup[] = []
  for (const name of await kerasLayerNames(file, root)) {
    const path = root === '/' ? `/${name}` : `${root}/${name}`
    if (!(await file.isGroup(path))) {
      throw loadError(`${file.name} lists the layer ${quote(name)}, and there is no group ${quote(path)}.`)
    }
    const arrays: SourceArray[] = []
    for (const array of await splitList(file, path, 'weight_names')) {
      arrays.push(await sourceArray(file, `${path}/${array}`, array))
    }
    groups.push({ name, arrays })
  }
  return groups
}

export async function sourceArray(file: Hdf5Reader, path: string, name: string): Promise<SourceArray> {
  const dataset = await file.dataset(path)
  if (!dataset)
    throw loadError(`${file.name} lists the array ${quote(name)}, and there is no ${quote(path)}.`)
  if (dataset.isCount) return { name, shape: dataset.shape, read: () => refuseCount(file, name) }
  await file.probe(dataset)
  return { name, shape: dataset.shape, read: () => readWhole(file, dataset) }
}

function refuseCount(file: Hdf5Reader, name: string): never {
  throw loadError(`In ${file.name}, array ${quote(name)} does not hold floating-point numbers.`)
}

export async function readWhole(file: Hdf5Reader, dataset: Hdf5Dataset): Promise<Float32Array> {
  const values = new Float32Array(dataset.shape.reduce((product, size) => product * size, 1))
  await file.read(dataset, (block, at) => values.set(block, at))
  return values
}

async function hasList(file: Hdf5Reader, path: string, name: string): Promise<boolean> {
  const names = await file.attributeNames(path)
  return names.includes(name) || names.includes(`${name}0`)
}

/** A list too long for one attribute is split over several: layer_names0, layer_names1, ... */
async function splitList(file: Hdf5Reader, path: string, name: string): Promise<string[]> {
  const whole = await file.texts(path, name)
  if (whole) return whole
  const all: string[] = []
  for (let i = 0; ; i++) {
    const part = await file.texts(path, `${name}${i}`)
    if (part) all.push(...part)
    else if (i > 0) return all
    else throw loadError(`In ${file.name}, ${quote(path)} has no list ${name}.`)
  }
}

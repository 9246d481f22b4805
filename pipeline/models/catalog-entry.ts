import type { LayerList } from './networks/layer-list.ts'

/** A model known by name: its layers, the input that it expects, and the source of its weights. */
export interface CatalogEntry {
  readonly name: string
  topology(): LayerList
  /** An older network whose file has the same name; only that file has `layer`. */
  readonly olderTopology?: { readonly layer: string; topology(): LayerList }
  /** What is done with the pixels before the network; `none` where the network does it. */
  readonly preprocessing: 'caffe' | 'tf' | 'torch' | 'none'
  readonly interpolation: 'nearest'
  /** The name of the file of weights. Address, size (where it is known) and checksum of the published file follow. */
  readonly file: string
  readonly url: string
  readonly bytes?: number
  /** Missing where no checksum is published: then only the size and the shape of every layer are checked. */
  readonly md5?: string
  readonly sha256?: string
  /** Earlier files of the same name, which users may still have. */
  readonly older?: readonly { readonly bytes: number; readonly md5: string }[]
}

const BASE = 'https://storage.googleapis.com/tensorflow/keras-applications'

/** What is published of a file: its size, or its checksum. */
export interface PublishedFile {
  readonly bytes?: number
  readonly md5?: string
  readonly sha256?: string
  /** Of the folder, where it is another than that of most files. */
  readonly base?: string
}

/** An entry whose file lies at `path` among the official ones. */
export function entry(
  name: string,
  topology: () => LayerList,
  preprocessing: CatalogEntry['preprocessing'],
  path: string,
  { base = BASE, ...published }: PublishedFile,
): CatalogEntry {
  const file = path.slice(path.lastIndexOf('/') + 1)
  const url = `${base}/${path}`
  return { name, topology, preprocessing, interpolation: 'nearest', file, url, ...published }
}

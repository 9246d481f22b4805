import { inceptionV3 } from './networks/inception-v3.ts'
import type { LayerList } from './networks/layer-list.ts'
import { mobilenet } from './networks/mobilenet.ts'
import { mobilenetV2 } from './networks/mobilenet-v2.ts'
import { resnet50 } from './networks/resnet50.ts'
import { LEGACY_RESNET50_LAYER, resnet50Legacy } from './networks/resnet50-legacy.ts'
import { vgg16 } from './networks/vgg16.ts'

/** A model known by name: its layers, the input that it expects, and the source of its weights. */
export interface CatalogEntry {
  readonly name: string
  topology(): LayerList
  /** An older network whose file has the same name; only that file has `layer`. */
  readonly olderTopology?: { readonly layer: string; topology(): LayerList }
  readonly preprocessing: 'caffe' | 'tf'
  readonly interpolation: 'nearest'
  /** The name of the file of weights. Address, size and MD5 of the published file follow. */
  readonly file: string
  readonly url: string
  readonly bytes: number
  /** Missing where no checksum is published: then only the size and the shape of every layer are checked. */
  readonly md5?: string
  /** Earlier files of the same name, which users may still have. */
  readonly older?: readonly { readonly bytes: number; readonly md5: string }[]
}

/** The network that a file's weights are for, chosen by the names of the layers in the file. */
export function topologyFor(entry: CatalogEntry, layerNames: readonly string[]): LayerList {
  const { olderTopology } = entry
  return olderTopology && layerNames.includes(olderTopology.layer)
    ? olderTopology.topology()
    : entry.topology()
}

const BASE = 'https://storage.googleapis.com/tensorflow/keras-applications'

const official = (path: string, bytes: number, md5?: string) => ({
  url: `${BASE}/${path}`,
  file: path.slice(path.lastIndexOf('/') + 1),
  bytes,
  ...(md5 === undefined ? {} : { md5 }),
})

const ENTRIES: readonly CatalogEntry[] = [
  {
    name: 'vgg16',
    topology: vgg16,
    preprocessing: 'caffe',
    interpolation: 'nearest',
    ...official(
      'vgg16/vgg16_weights_tf_dim_ordering_tf_kernels.h5',
      553_467_096,
      '64373286793e3c8b2b4e3219cbf3544b',
    ),
  },
  {
    name: 'resnet50',
    topology: resnet50,
    olderTopology: { layer: LEGACY_RESNET50_LAYER, topology: resnet50Legacy },
    older: [{ bytes: 102_853_048, md5: 'a7b3fe01876f51b976af0dea6bc144eb' }],
    preprocessing: 'caffe',
    interpolation: 'nearest',
    ...official(
      'resnet/resnet50_weights_tf_dim_ordering_tf_kernels.h5',
      102_967_424,
      '2cb95161c43110f7111970584f804107',
    ),
  },
  {
    name: 'inception_v3',
    topology: inceptionV3,
    preprocessing: 'tf',
    interpolation: 'nearest',
    ...official(
      'inception_v3/inception_v3_weights_tf_dim_ordering_tf_kernels.h5',
      96_112_376,
      '9a0d58056eeedaa3f26cb7ebd46da564',
    ),
  },
  {
    name: 'mobilenet',
    topology: mobilenet,
    preprocessing: 'tf',
    interpolation: 'nearest',
    ...official('mobilenet/mobilenet_1_0_224_tf.h5', 17_225_924),
  },
  {
    name: 'mobilenet_v2',
    topology: mobilenetV2,
    preprocessing: 'tf',
    interpolation: 'nearest',
    ...official('mobilenet_v2/mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224.h5', 14_536_120),
  },
]

/** Every model that is served by name alone and downloaded when needed. */
export const catalog: ReadonlyMap<string, CatalogEntry> = new Map(ENTRIES.map((entry) => [entry.name, entry]))

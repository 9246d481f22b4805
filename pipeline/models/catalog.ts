import { densenet121, densenet169, densenet201 } from './networks/densenet.ts'
import { efficientnet } from './networks/efficientnet.ts'
import { inceptionResnetV2 } from './networks/inception-resnet-v2.ts'
import { inceptionV3 } from './networks/inception-v3.ts'
import type { LayerList } from './networks/layer-list.ts'
import { mobilenet } from './networks/mobilenet.ts'
import { mobilenetV2 } from './networks/mobilenet-v2.ts'
import { resnet50v2, resnet101v2, resnet152v2 } from './networks/resnet-v2.ts'
import { resnet50, resnet101, resnet152 } from './networks/resnet50.ts'
import { LEGACY_RESNET50_LAYER, resnet50Legacy } from './networks/resnet50-legacy.ts'
import { vgg16, vgg19 } from './networks/vgg16.ts'
import { xception } from './networks/xception.ts'

/** A model known by name: its layers, the input that it expects, and the source of its weights. */
export interface CatalogEntry {
  readonly name: string
  topology(): LayerList
  /** An older network whose file has the same name; only that file has `layer`. */
  readonly olderTopology?: { readonly layer: string; topology(): LayerList }
  readonly preprocessing: 'caffe' | 'tf' | 'torch' | 'none'
  readonly interpolation: 'nearest'
  /** The name of the file of weights. Address, size (where it is known) and MD5 of the published file follow. */
  readonly file: string
  readonly url: string
  readonly bytes?: number
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

const official = (path: string, bytes: number | undefined, md5?: string) => ({
  url: `${BASE}/${path}`,
  file: path.slice(path.lastIndexOf('/') + 1),
  ...(bytes === undefined ? {} : { bytes }),
  ...(md5 === undefined ? {} : { md5 }),
})

/** A network whose published file has a checksum; its size is not published. */
function further(
  name: string,
  topology: () => LayerList,
  preprocessing: CatalogEntry['preprocessing'],
  path: string,
  md5: string,
): CatalogEntry {
  const file = official(`${path}_weights_tf_dim_ordering_tf_kernels.h5`, undefined, md5)
  return { name, topology, preprocessing, interpolation: 'nearest', ...file }
}

/** The MD5 of the published weights of EfficientNetB0 to B7. */
const EFFICIENTNETS = [
  '902e53a9f72be733fc0bcb005b3ebbac',
  '1d254153d4ab51201f1646940f018540',
  'b15cce36ff4dcbd00b6dd88e7857a6ad',
  'ffd1fdc53d0ce67064dc6a9c7960ede0',
  '18c95ad55216b8f92d7e70b3a046e2fc',
  'ace28f2a6363774853a83a0b21b9421a',
  '165f6e37dce68623721b423839de8be5',
  '8c03f828fec3ef71311cd463b6759d99',
] as const

const efficientnets = EFFICIENTNETS.map((md5, scale): CatalogEntry => {
  const name = `efficientnetb${scale}`
  const file = `${name}.h5`
  const url = `https://storage.googleapis.com/keras-applications/${file}`
  return {
    name,
    topology: () => efficientnet(scale),
    preprocessing: 'none',
    interpolation: 'nearest',
    file,
    url,
    md5,
  }
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
  further('vgg19', vgg19, 'caffe', 'vgg19/vgg19', 'cbe5617147190e668d6c5d5026f83318'),
  further('resnet101', resnet101, 'caffe', 'resnet/resnet101', 'f1aeb4b969a6efcfb50fad2f0c20cfc5'),
  further('resnet152', resnet152, 'caffe', 'resnet/resnet152', '100835be76be38e30d865e96f2aaae62'),
  further('resnet50v2', resnet50v2, 'tf', 'resnet/resnet50v2', '3ef43a0b657b3be2300d5770ece849e0'),
  further('resnet101v2', resnet101v2, 'tf', 'resnet/resnet101v2', '6343647c601c52e1368623803854d971'),
  further('resnet152v2', resnet152v2, 'tf', 'resnet/resnet152v2', 'a49b44d1979771252814e80f8ec446f9'),
  further('densenet121', densenet121, 'torch', 'densenet/densenet121', '9d60b8095a5708f2dcce2bca79d332c7'),
  further('densenet169', densenet169, 'torch', 'densenet/densenet169', 'd699b8f76981ab1b30698df4c175e90b'),
  further('densenet201', densenet201, 'torch', 'densenet/densenet201', '1ceb130c1ea1b78c3bf6114dbdfd8807'),
  further('xception', xception, 'tf', 'xception/xception', '0a58e3b7378bc2990ea3b43d5981f1f6'),
  further(
    'inception_resnet_v2',
    inceptionResnetV2,
    'tf',
    'inception_resnet_v2/inception_resnet_v2',
    'e693bd0210a403b3192acc6073ad2e96',
  ),
  ...efficientnets,
]

/** Every model that is served by name alone and downloaded when needed. */
export const catalog: ReadonlyMap<string, CatalogEntry> = new Map(ENTRIES.map((entry) => [entry.name, entry]))

import { type CatalogEntry, entry } from './catalog-entry.ts'
import { FAMILIES } from './catalog-families.ts'
import { densenet121, densenet169, densenet201 } from './networks/densenet.ts'
import { inceptionResnetV2 } from './networks/inception-resnet-v2.ts'
import { inceptionV3 } from './networks/inception-v3.ts'
import type { LayerList } from './networks/layer-list.ts'
import { mobilenet } from './networks/mobilenet.ts'
import { mobilenetV2 } from './networks/mobilenet-v2.ts'
import {
  mobilenetV3Large,
  mobilenetV3LargeMinimalistic,
  mobilenetV3Small,
  mobilenetV3SmallMinimalistic,
} from './networks/mobilenet-v3.ts'
import { nasnetLarge, nasnetMobile } from './networks/nasnet.ts'
import { resnet50v2, resnet101v2, resnet152v2 } from './networks/resnet-v2.ts'
import { resnet50, resnet101, resnet152 } from './networks/resnet50.ts'
import { LEGACY_RESNET50_LAYER, resnet50Legacy } from './networks/resnet50-legacy.ts'
import { vgg16, vgg19 } from './networks/vgg16.ts'
import { xception } from './networks/xception.ts'

/** The network that a file's weights are for, chosen by the names of the layers in the file. */
export function topologyFor(entry: CatalogEntry, layerNames: readonly string[]): LayerList {
  const { olderTopology } = entry
  return olderTopology && layerNames.includes(olderTopology.layer)
    ? olderTopology.topology()
    : entry.topology()
}

const mobilenetV3 = (variant: string) => `mobilenet_v3/weights_mobilenet_v3_${variant}_224_1.0_float.h5`

const TF_KERNELS = '_weights_tf_dim_ordering_tf_kernels.h5'

const ENTRIES: readonly CatalogEntry[] = [
  entry('vgg16', vgg16, 'caffe', `vgg16/vgg16${TF_KERNELS}`, {
    bytes: 553_467_096,
    md5: '64373286793e3c8b2b4e3219cbf3544b',
  }),
  {
    ...entry('resnet50', resnet50, 'caffe', `resnet/resnet50${TF_KERNELS}`, {
      bytes: 102_967_424,
      md5: '2cb95161c43110f7111970584f804107',
    }),
    olderTopology: { layer: LEGACY_RESNET50_LAYER, topology: resnet50Legacy },
    older: [{ bytes: 102_853_048, md5: 'a7b3fe01876f51b976af0dea6bc144eb' }],
  },
  entry('inception_v3', inceptionV3, 'tf', `inception_v3/inception_v3${TF_KERNELS}`, {
    bytes: 96_112_376,
    md5: '9a0d58056eeedaa3f26cb7ebd46da564',
  }),
  entry('mobilenet', mobilenet, 'tf', 'mobilenet/mobilenet_1_0_224_tf.h5', { bytes: 17_225_924 }),
  entry(
    'mobilenet_v2',
    mobilenetV2,
    'tf',
    'mobilenet_v2/mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224.h5',
    { bytes: 14_536_120 },
  ),
  entry('vgg19', vgg19, 'caffe', `vgg19/vgg19${TF_KERNELS}`, { md5: 'cbe5617147190e668d6c5d5026f83318' }),
  entry('resnet101', resnet101, 'caffe', `resnet/resnet101${TF_KERNELS}`, {
    md5: 'f1aeb4b969a6efcfb50fad2f0c20cfc5',
  }),
  entry('resnet152', resnet152, 'caffe', `resnet/resnet152${TF_KERNELS}`, {
    md5: '100835be76be38e30d865e96f2aaae62',
  }),
  entry('resnet50v2', resnet50v2, 'tf', `resnet/resnet50v2${TF_KERNELS}`, {
    md5: '3ef43a0b657b3be2300d5770ece849e0',
  }),
  entry('resnet101v2', resnet101v2, 'tf', `resnet/resnet101v2${TF_KERNELS}`, {
    md5: '6343647c601c52e1368623803854d971',
  }),
  entry('resnet152v2', resnet152v2, 'tf', `resnet/resnet152v2${TF_KERNELS}`, {
    md5: 'a49b44d1979771252814e80f8ec446f9',
  }),
  entry('densenet121', densenet121, 'torch', `densenet/densenet121${TF_KERNELS}`, {
    md5: '9d60b8095a5708f2dcce2bca79d332c7',
  }),
  entry('densenet169', densenet169, 'torch', `densenet/densenet169${TF_KERNELS}`, {
    md5: 'd699b8f76981ab1b30698df4c175e90b',
  }),
  entry('densenet201', densenet201, 'torch', `densenet/densenet201${TF_KERNELS}`, {
    md5: '1ceb130c1ea1b78c3bf6114dbdfd8807',
  }),
  entry('xception', xception, 'tf', `xception/xception${TF_KERNELS}`, {
    md5: '0a58e3b7378bc2990ea3b43d5981f1f6',
  }),
  entry(
    'inception_resnet_v2',
    inceptionResnetV2,
    'tf',
    `inception_resnet_v2/inception_resnet_v2${TF_KERNELS}`,
    {
      md5: 'e693bd0210a403b3192acc6073ad2e96',
    },
  ),
  entry('nasnet_mobile', nasnetMobile, 'tf', 'nasnet/NASNet-mobile.h5', {
    md5: '020fb642bf7360b370c678b08e0adf61',
  }),
  entry('nasnet_large', nasnetLarge, 'tf', 'nasnet/NASNet-large.h5', {
    md5: '11577c9a518f0070763c2b964a382f17',
  }),
  entry('mobilenet_v3_small', mobilenetV3Small, 'none', mobilenetV3('small'), {
    md5: '8768d4c2e7dee89b9d02b2d03d65d862',
  }),
  entry('mobilenet_v3_large', mobilenetV3Large, 'none', mobilenetV3('large'), {
    md5: '59e551e166be033d707958cf9e29a6a7',
  }),
  entry(
    'mobilenet_v3_small_minimalistic',
    mobilenetV3SmallMinimalistic,
    'none',
    mobilenetV3('small_minimalistic'),
    { md5: '99cd97fb2fcdad2bf028eb838de69e37' },
  ),
  entry(
    'mobilenet_v3_large_minimalistic',
    mobilenetV3LargeMinimalistic,
    'none',
    mobilenetV3('large_minimalistic'),
    { md5: '675e7b876c45c57e9e63e6d90a36599c' },
  ),
  ...FAMILIES,
]

/** Every model that is served by name alone and downloaded when needed. */
export const catalog: ReadonlyMap<string, CatalogEntry> = new Map(ENTRIES.map((one) => [one.name, one]))

import { type CatalogEntry, entry } from './catalog-entry.ts'
import { type ConvNeXt, convnext } from './networks/convnext.ts'
import { efficientnet } from './networks/efficientnet.ts'
import { type EfficientNetV2, efficientnetV2 } from './networks/efficientnet-v2.ts'
import { type RegNet, regnet } from './networks/regnet.ts'
import { type ResNetRS, resnetRS } from './networks/resnet-rs.ts'

/* Families of many sizes, whose networks scale the pixels by themselves. */

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
const EFFICIENTNET_BASE = 'https://storage.googleapis.com/keras-applications'

/** The MD5 of the published weights. */
const EFFICIENTNETS_V2: Readonly<Record<EfficientNetV2, string>> = {
  b0: '21ecbf6da12460d5c40bb2f29ceb2188',
  b1: '069f0534ff22adf035c89e2d9547a9dc',
  b2: '424e49f28180edbde1e94797771950a7',
  b3: '1f1fc43bd98a6e4fd8fdfd551e02c7a0',
  s: 'e1d88a8495beba45748fedd0cecbe016',
  m: 'a3bf6aa3276309f4fc6a34aa114c95cd',
  l: '27e6d408b53c7ebc868fefa357689935',
}

/** The SHA-256 of the published weights. */
const CONVNEXTS: Readonly<Record<ConvNeXt, string>> = {
  tiny: '8ae6e78ce2933352b1ef4008e6dd2f17bc40771563877d156bc6426c7cf503ff',
  small: 'ce1277d8f1ee5a0ef0e171469089c18f5233860ceaf9b168049cb9263fd7483c',
  base: '52cbb006d3dadd03f6e095a8ca1aca47aecdd75acb4bc74bce1f5c695d0086e6',
  large: '070c5ed9ed289581e477741d3b34beffa920db8cf590899d6d2c67fba2a198a6',
  xlarge: 'c1f5ccab661354fc3a79a10fa99af82f0fbf10ec65cb894a3ae0815f17a889ee',
}

/** The SHA-256 of the published weights. */
const REGNETS: Readonly<Record<RegNet, string>> = {
  x002: '49fb46e56cde07fdaf57bffd851461a86548f6a3a4baef234dd37290b826c0b8',
  x004: '3523c7f5ac0dbbcc2fd6d83b3570e7540f7449d3301cc22c29547302114e4088',
  x006: '340216ef334a7bae30daac9f414e693c136fac9ab868704bbfcc9ce6a5ec74bb',
  x008: '8f145d6a5fae6da62677bb8d26eb92d0b9dfe143ec1ebf68b24a57ae50a2763d',
  x016: '31c386f4c7bfef4c021a583099aa79c1b3928057ba1b7d182f174674c5ef3510',
  x032: '6c025df1409e5ea846375bc9dfa240956cca87ef57384d93fef7d6fa90ca8c7f',
  x040: 'ba128046c588a26dbd3b3a011b26cb7fa3cf8f269c184c132372cb20b6eb54c1',
  x064: '0f4489c3cd3ad979bd6b0324213998bcb36dc861d178f977997ebfe53c3ba564',
  x080: '76320e43272719df648db37271a247c22eb6e810fe469c37a5db7e2cb696d162',
  x120: '5cafc461b78897d5e4f24e68cb406d18e75f31105ef620e7682b611bb355eb3a',
  x160: '8093f57a5824b181fb734ea21ae34b1f7ee42c5298e63cf6d587c290973195d2',
  x320: '91fb3e6f4e9e44b3687e80977f7f4412ee9937c0c704232664fc83e4322ea01e',
  y002: '1e8091c674532b1a61c04f6393a9c570113e0197f22bd1b98cc4c4fe800c6465',
  y004: '752fdbad21c78911bf1dcb8c513e5a0e14697b068e5d9e73525dbaa416d18d8e',
  y006: '98942e07b273da500ff9699a1f88aca78dfad4375faabb0bab784bb0dace80a9',
  y008: '1b099377cc9a4fb183159a6f9b24bc998e5659d25a449f40c90cbffcbcfdcae4',
  y016: 'b7ce1f5e223f0941c960602de922bcf846288ce7a4c33b2a4f2e4ac4b480045b',
  y032: '6a6a545cf3549973554c9b94f0cd40e25f229fffb1e7f7ac779a59dcbee612bd',
  y040: '98d00118b335162bbffe8f1329e54e5c8e75ee09b2a5414f97b0ddfc56e796f6',
  y064: '65c948c7a18aaecaad2d1bd4fd978987425604ba6669ef55a1faa0069a2804b7',
  y080: '7a2c62da2982e369a4984d3c7c3b32d6f8d3748a71cb37a31156c436c37f3e95',
  y120: 'a96ab0d27d3ae35a422ee7df0d789069b3e3217a99334e0ce861a96595bc5986',
  y160: '45067240ffbc7ca2591313fee2f80dbdda6d66ec1a7451446f9a6d00d8f7ac6e',
  y320: 'b05e173e4ae635cfa22d06392ee3741284d17dadfee68f2aa6fd8cb2b7561112',
}

/** For each depth: the size of the images with which the published weights were trained, and the MD5 of the file. */
const RESNETS_RS = new Map<ResNetRS, readonly [trainedAt: number, md5: string]>([
  [50, [160, '69d9d925319f00a8bdd4af23c04e4102']],
  [101, [192, 'eb285be29ab42cf4835ff20a5e3b5d23']],
  [152, [256, 'ba6271b99bdeb4e7a9b15c05964ef4ad']],
  [200, [256, 'a76930b741884e09ce90fa7450747d5f']],
  [270, [256, '20d575825ba26176b03cb51012a367a8']],
  [350, [320, '7ccb858cc738305e8ceb3c0140bee393']],
  [420, [320, 'ae0eb9bed39e64fc8d7e0db4018dc7e8']],
])

const keysOf = <K extends string>(table: Readonly<Record<K, string>>) =>
  Object.entries(table) as [K, string][]

export const FAMILIES: readonly CatalogEntry[] = [
  ...EFFICIENTNETS.map((md5, scale) =>
    entry(`efficientnetb${scale}`, () => efficientnet(scale), 'none', `efficientnetb${scale}.h5`, {
      md5,
      base: EFFICIENTNET_BASE,
    }),
  ),
  ...keysOf(EFFICIENTNETS_V2).map(([variant, md5]) =>
    entry(
      `efficientnetv2${variant}`,
      () => efficientnetV2(variant),
      'none',
      `efficientnet_v2/efficientnetv2-${variant}.h5`,
      { md5 },
    ),
  ),
  ...keysOf(CONVNEXTS).map(([variant, sha256]) =>
    entry(`convnext_${variant}`, () => convnext(variant), 'none', `convnext/convnext_${variant}.h5`, {
      sha256,
    }),
  ),
  ...keysOf(REGNETS).map(([variant, sha256]) =>
    entry(`regnet${variant}`, () => regnet(variant), 'none', `regnet/regnet${variant}.h5`, { sha256 }),
  ),
  ...[...RESNETS_RS].map(([depth, [trainedAt, md5]]) =>
    entry(
      `resnetrs${depth}`,
      () => resnetRS(depth),
      'none',
      `resnet_rs/resnet-rs-${depth}-i${trainedAt}.h5`,
      { md5 },
    ),
  ),
]

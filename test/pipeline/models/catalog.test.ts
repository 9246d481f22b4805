import { expect } from 'chai'
import { expectedArrays, inferShapes } from '../../../pipeline/graph/shapes.ts'
import { catalog, topologyFor } from '../../../pipeline/models/catalog.ts'
import type { LayerList } from '../../../pipeline/models/networks/layer-list.ts'

describe('catalog', () => {
  const PARAMETERS: ReadonlyMap<string, number> = new Map([
    ['vgg16', 138_357_544],
    ['resnet50', 25_636_712],
    ['inception_v3', 23_851_784],
    ['mobilenet', 4_253_864],
    ['mobilenet_v2', 3_538_984],
    ['vgg19', 143_667_240],
    ['resnet101', 44_707_176],
    ['resnet152', 60_419_944],
    ['resnet50v2', 25_613_800],
    ['resnet101v2', 44_675_560],
    ['resnet152v2', 60_380_648],
    ['densenet121', 8_062_504],
    ['densenet169', 14_307_880],
    ['densenet201', 20_242_984],
    ['xception', 22_910_480],
    ['inception_resnet_v2', 55_873_736],
    ['efficientnetb0', 5_330_571],
    ['efficientnetb1', 7_856_239],
    ['efficientnetb2', 9_177_569],
    ['efficientnetb3', 12_320_535],
    ['efficientnetb4', 19_466_823],
    ['efficientnetb5', 30_562_527],
    ['efficientnetb6', 43_265_143],
    ['efficientnetb7', 66_658_687],
    ['nasnet_mobile', 5_326_716],
    ['nasnet_large', 88_949_818],
    ['mobilenet_v3_small', 2_554_968],
    ['mobilenet_v3_large', 5_507_432],
    ['efficientnetv2b0', 7_200_312],
    ['efficientnetv2b1', 8_212_124],
    ['efficientnetv2b2', 10_178_374],
    ['efficientnetv2s', 21_612_360],
    ['efficientnetv2m', 54_431_388],
    ['efficientnetv2l', 119_027_848],
    ['convnext_tiny', 28_589_128],
    ['convnext_small', 50_223_688],
    ['convnext_base', 88_591_464],
    ['convnext_large', 197_767_336],
    ['convnext_xlarge', 350_196_968],
  ])

  /** Published without the means and variances of normalizations. */
  const TRAINABLE: ReadonlyMap<string, number> = new Map([
    ['regnetx002', 2_684_792],
    ['regnetx004', 5_157_512],
    ['regnetx006', 6_196_040],
    ['regnetx008', 7_259_656],
    ['regnetx016', 9_190_136],
    ['regnetx032', 15_296_552],
    ['regnetx040', 22_118_248],
    ['regnetx064', 26_209_256],
    ['regnetx080', 39_572_648],
    ['regnetx120', 46_106_056],
    ['regnetx160', 54_278_536],
    ['regnetx320', 107_811_560],
    ['regnety002', 3_162_996],
    ['regnety004', 4_344_144],
    ['regnety006', 6_055_160],
    ['regnety008', 6_263_168],
    ['regnety016', 11_202_430],
    ['regnety032', 19_436_338],
    ['regnety040', 20_646_656],
    ['regnety064', 30_583_252],
    ['regnety080', 39_180_068],
    ['regnety120', 51_822_544],
    ['regnety160', 83_590_140],
    ['regnety320', 145_046_770],
  ])

  /** Published in millions, with one or two digits after the point; without means and variances of normalizations. */
  const MILLIONS: ReadonlyMap<string, string> = new Map([
    ['efficientnetv2b3', '14.36'],
    ['mobilenet_v3_small_minimalistic', '2.0'],
    ['mobilenet_v3_large_minimalistic', '3.9'],
    ['resnetrs50', '35.69'],
    ['resnetrs101', '63.62'],
    ['resnetrs152', '86.62'],
    ['resnetrs200', '93.21'],
    ['resnetrs270', '129.86'],
    ['resnetrs350', '163.96'],
    ['resnetrs420', '191.89'],
  ])

  const SIDES: Readonly<Record<string, number>> = {
    inception_v3: 299,
    inception_resnet_v2: 299,
    xception: 299,
    nasnet_large: 331,
    efficientnetv2b1: 240,
    efficientnetv2b2: 260,
    efficientnetv2b3: 300,
    efficientnetv2s: 384,
    efficientnetv2m: 480,
    efficientnetv2l: 480,
    ...Object.fromEntries(
      [224, 240, 260, 300, 380, 456, 528, 600].map((side, i) => [`efficientnetb${i}`, side]),
    ),
  }

  for (const [key, entry] of catalog) {
    it(`has a network of the published size, which fits into its file: ${key}`, () => {
      const { name, bytes, url, file, md5 = '0'.repeat(32), sha256 = '0'.repeat(64), topology } = entry
      const network = topology()
      expect(name).to.equal(key)
      expectPublished(key, network)
      // Either the size of the file is known, or its checksum.
      if (bytes === undefined) expect(entry.md5 ?? entry.sha256).to.be.a('string')
      else expect(bytes).to.be.above(4 * parameters(network))
      expect(url.endsWith(`/${file}`)).to.equal(true)
      expect(md5).to.match(/^[0-9a-f]{32}$/)
      expect(sha256).to.match(/^[0-9a-f]{64}$/)
      const side = SIDES[key] ?? 224
      expect(network.inputShape).to.deep.equal([side, side, 3])
      expect(inferShapes(network).get(network.output)).to.deep.equal([1000])
    })
  }

  function expectPublished(key: string, network: LayerList): void {
    const millions = MILLIONS.get(key)
    if (millions === undefined) {
      const isTrainable = TRAINABLE.has(key)
      expect(parameters(network, isTrainable)).to.equal(PARAMETERS.get(key) ?? TRAINABLE.get(key))
      return
    }
    const digits = millions.length - millions.indexOf('.') - 1
    expect((parameters(network, true) / 1e6).toFixed(digits)).to.equal(millions)
  }

  it('has every model of Keras 3, and RegNet and ResNet-RS of Keras 2', () => {
    expect([...catalog.keys()].sort()).to.deep.equal(
      [...PARAMETERS.keys(), ...TRAINABLE.keys(), ...MILLIONS.keys()].sort(),
    )
  })

  it('recognises the older ResNet50 by the names of its layers', () => {
    const entry = catalog.get('resnet50')
    if (!entry) throw new Error('no such entry')
    const older = topologyFor(entry, ['input_1', 'conv1', 'res2a_branch2a'])
    expect(older.output).to.equal('fc1000')
    expect(parameters(older)).to.equal(25_636_712)
    const shapes = inferShapes(older)
    expect(shapes.get('max_pooling2d_1')).to.deep.equal([55, 55, 64])
    // Stages shrink in the first convolution of their first block.
    expect(shapes.get('res3a_branch2a')).to.deep.equal([28, 28, 128])
    expect(shapes.get('flatten_1')).to.deep.equal([2048])
    expect(topologyFor(entry, ['conv1_conv']).output).to.equal('predictions')
  })

  it('has no entry for the names of inherited properties', () => {
    expect(catalog.get('__proto__')).to.equal(undefined)
    expect(catalog.get('constructor')).to.equal(undefined)
  })
})

function parameters(list: LayerList, isTrainable = false): number {
  return [...expectedArrays(list).values()]
    .flat()
    .filter(({ fixed }) => !isTrainable || !fixed)
    .reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0)
}

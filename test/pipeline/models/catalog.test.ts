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
  ])

  const SIDES: Readonly<Record<string, number>> = {
    inception_v3: 299,
    inception_resnet_v2: 299,
    xception: 299,
    ...Object.fromEntries(
      [224, 240, 260, 300, 380, 456, 528, 600].map((side, i) => [`efficientnetb${i}`, side]),
    ),
  }

  for (const [key, entry] of catalog) {
    it(`has a network of the published size, which fits into its file: ${key}`, () => {
      const { name, bytes, url, file, md5 = '0'.repeat(32), topology } = entry
      const network = topology()
      expect(name).to.equal(key)
      expect(parameters(network)).to.equal(PARAMETERS.get(key))
      // Either the size of the file is known, or its checksum.
      if (bytes === undefined) expect(entry.md5).to.be.a('string')
      else expect(bytes).to.be.above(4 * parameters(network))
      expect(url.endsWith(`/${file}`)).to.equal(true)
      expect(md5).to.match(/^[0-9a-f]{32}$/)
      const side = SIDES[key] ?? 224
      expect(network.inputShape).to.deep.equal([side, side, 3])
      expect(inferShapes(network).get(network.output)).to.deep.equal([1000])
    })
  }

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

function parameters(list: LayerList): number {
  return [...expectedArrays(list).values()]
    .flat()
    .reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0)
}

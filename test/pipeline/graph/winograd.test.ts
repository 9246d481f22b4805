import { expect } from 'chai'
import type { CompileOptions } from '../../../pipeline/graph/compile.ts'
import { formName, formNamed, type WinogradForm } from '../../../pipeline/graph/winograd/form.ts'
import { transformedKernel } from '../../../pipeline/graph/winograd/matrices.ts'
import type { LayerList } from '../../../pipeline/models/networks/layer-list.ts'
import { onnxOutline } from '../../../pipeline/weights/onnx/onnx-outline.ts'
import { bytesOf, relativeError, withCompiled, withEngine } from '../../support/compiled.ts'
import { anyWeights, smallNetwork, type Written } from '../../support/small-network.ts'
import { hash } from '../../support/synthetic.ts'

const TOLERANCE = 1e-5

const FORMS: readonly WinogradForm[] = (['convolution', 'gather'] as const).flatMap((input) =>
  (['images', 'batch', 'groups'] as const).flatMap((product) =>
    [1, 2, 3].map((strips) => ({ input, product, strips })),
  ),
)

interface Outcome {
  readonly numbers: Float32Array
  readonly shape: readonly number[]
  readonly operators: readonly string[]
}

function outcome(list: LayerList, n: number, winograd: CompileOptions['winograd']): Promise<Outcome> {
  const length = list.inputShape.reduce((product, size) => product * size, n)
  const input = Float32Array.from({ length }, (_, i) => hash(7, i) / 2 ** 31 - 1)
  return withCompiled(list, anyWeights(list), winograd ? { winograd } : {}, (path) =>
    withEngine(path, async (engine) => ({
      numbers: (await engine.run(bytesOf(input), n)).slice(),
      shape: engine.outputShape,
      operators: onnxOutline(path).nodes.map(({ op }) => op),
    })),
  )
}

/** The largest error of each form, in a network whose first convolution is computed by Winograd's way. */
async function errors(input: readonly number[], layers: readonly Written[], n: number, forms = FORMS) {
  const list = smallNetwork(input, layers)
  const direct = await outcome(list, n, undefined)
  const found: [string, number][] = []
  for (const form of forms) {
    const made = await outcome(list, n, new Map([['Conv2D 1', form]]))
    expect(made.shape).to.deep.equal(direct.shape)
    expect(made.numbers.length).to.equal(direct.numbers.length)
    found.push([formName(form), relativeError(made.numbers, direct.numbers)])
  }
  return found
}

async function mustAgree(...[input, layers, n, forms]: Parameters<typeof errors>): Promise<void> {
  for (const [form, error] of await errors(input, layers, n, forms)) {
    expect(error, `${form} of ${input.join(' × ')}`).to.be.at.most(TOLERANCE)
  }
}

const conv = (filters: number, more: Record<string, unknown> = {}): Written => [
  'Conv2D',
  { filters, kernel_size: 3, padding: 'same', activation: 'relu', ...more },
]

describe("A convolution by Winograd's way", () => {
  it('gives the numbers of the direct convolution in every form', () => mustAgree([13, 10, 5], [conv(6)], 2))

  it('gives them in every form without padding', () =>
    mustAgree([12, 15, 3], [conv(4, { padding: 'valid', activation: 'linear' })], 2))

  it('gives them in every form together with the maximum of each 2 × 2 pixels', () =>
    mustAgree([16, 12, 5], [conv(6), ['MaxPooling2D']], 2))

  it('gives them for any size of an image, any number of channels and filters, and any batch', async () => {
    let at = 0
    for (const [height, width, channels, filters, n] of [
      [1, 1, 1, 1, 1],
      [2, 3, 1, 2, 3],
      [3, 5, 2, 1, 1],
      [4, 4, 70, 3, 2],
      [5, 7, 17, 16, 1],
      [6, 6, 3, 70, 3],
      [7, 7, 32, 33, 2],
      [9, 8, 64, 64, 1],
      [11, 14, 8, 24, 2],
      [17, 19, 16, 40, 1],
    ] as const) {
      // Each size in a third of the forms, which are others for each size.
      const forms = FORMS.filter((_, i) => i % 3 === at % 3)
      await mustAgree([height, width, channels], [conv(filters, { activation: 'linear' })], n, forms)
      if (Math.min(height, width) > 2) {
        await mustAgree(
          [height, width, channels],
          [conv(filters, { padding: 'valid', activation: 'linear' })],
          n,
          forms,
        )
      }
      if (Math.min(height, width) > 1) {
        const pooled = [conv(filters, { activation: 'linear' }), ['MaxPooling2D'] as const]
        await mustAgree([height, width, channels], pooled, n, forms)
      }
      at++
    }
  }).timeout(30_000)

  const some = FORMS.filter(({ strips }) => strips === 2)

  it('does a zero padding before it, and takes a batch normalization after it', () =>
    mustAgree(
      [9, 9, 4],
      [
        [
          'ZeroPadding2D',
          {
            padding: [
              [0, 1],
              [2, 1],
            ],
          },
        ],
        ['Conv2D', { filters: 8, kernel_size: 3, use_bias: false }],
        ['BatchNormalization', { axis: -1 }],
        ['Activation', { activation: 'relu' }],
      ],
      2,
      some,
    ))

  it('takes a normalization and a pooling after it in one', async () => {
    const layers: Written[] = [
      ['Conv2D', { filters: 8, kernel_size: 3, padding: 'same' }],
      ['BatchNormalization', { axis: -1 }],
      ['MaxPooling2D'],
      ['Flatten'],
      ['Dense', { units: 5 }],
    ]
    await mustAgree([10, 10, 4], layers, 2, some)
    const made = await outcome(
      smallNetwork([10, 10, 4], layers),
      1,
      new Map([['Conv2D 1', { input: 'gather', product: 'batch', strips: 1 }]]),
    )
    expect(made.operators).not.to.include('MaxPool')
    expect(made.operators).not.to.include('Conv')
  })

  it('leaves a pooling alone that others need too, that is the output, or that pads', async () => {
    const form = new Map([['Conv2D 1', { input: 'gather', product: 'batch', strips: 1 } as const]])
    const pools = async (...layers: Written[]) => {
      const list = smallNetwork([9, 9, 4], layers)
      const made = await outcome(list, 1, form)
      const direct = await outcome(list, 1, undefined)
      expect(relativeError(made.numbers, direct.numbers)).to.be.at.most(TOLERANCE)
      return made.operators.includes('MaxPool')
    }
    expect(await pools(conv(3), ['MaxPooling2D', { padding: 'same' }])).to.equal(true)
    expect(await pools(conv(3), ['MaxPooling2D', { strides: 1 }])).to.equal(true)
    expect(await pools(conv(3, { activation: 'silu' }), ['MaxPooling2D'])).to.equal(true)
    expect(
      await pools(
        conv(3),
        ['MaxPooling2D', { padding: 'same', pool_size: 1, strides: 1 }],
        ['Add', {}, ['Conv2D 1', 'MaxPooling2D 2']],
      ),
    ).to.equal(true)
    expect(await pools(conv(3), ['MaxPooling2D'])).to.equal(false)
  })

  it('is not asked of another convolution: strides, dilations, groups, another window, channels first', async () => {
    const form = new Map([['Conv2D 1', { input: 'gather', product: 'batch', strips: 1 } as const]])
    for (const more of [
      { strides: 2 },
      { dilation_rate: 2 },
      { groups: 2 },
      { kernel_size: 5 },
      { kernel_size: [3, 1] },
      { data_format: 'channels_first' },
    ]) {
      const { operators } = await outcome(smallNetwork([8, 8, 8], [conv(4, more)]), 1, form)
      expect(operators, JSON.stringify(more)).to.include('Conv')
      expect(operators, JSON.stringify(more)).not.to.include('MatMul')
    }
  })

  it('has a kernel that is transformed in double precision', () => {
    const kernel = Float32Array.from({ length: 9 }, (_, i) => 1 / (i + 3))
    const places = [...transformedKernel(kernel, { channels: 1, filters: 1 }, { byFilter: false })]
    expect(places).to.have.length(36)
    // The last place is the last weight; the first is a sixteenth of the first weight.
    expect(places[35]?.[0]).to.equal(kernel[8])
    expect(places[0]?.[0]).to.equal(Math.fround((kernel[0] ?? 0) / 16))
    const middle = [...kernel].reduce((sum, weight) => sum + weight / 36, 0)
    expect(places[7]?.[0]).to.equal(Math.fround(middle))
  })

  it('has forms with names that can be read back', () => {
    for (const form of FORMS) expect(formNamed(formName(form))).to.deep.equal(form)
    for (const name of [
      '',
      'gather',
      'gather-batch-0',
      'gather-batch-1234',
      'other-batch-1',
      ' gather-batch-1',
    ])
      expect(formNamed(name)).to.equal(undefined)
  })
})

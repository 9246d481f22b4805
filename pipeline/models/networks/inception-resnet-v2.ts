import { activation, convolution, normalization, pooling, predictions } from './blocks.ts'
import type { LayerList } from './layer-list.ts'
import { INPUT, type Network, network } from './network.ts'

type Size = number | readonly [number, number]

/** A convolution: channels, size of the window, and whether it halves the image. */
type Step = readonly [filters: number, size: Size, halves?: 'halves']

/** The blocks with a residual: how often, the factor of the residual, and the branches that are joined. */
const BLOCKS = {
  block35: {
    count: 10,
    scale: 0.17,
    branches: [
      [[32, 1]],
      [
        [32, 1],
        [32, 3],
      ],
      [
        [32, 1],
        [48, 3],
        [64, 3],
      ],
    ],
  },
  block17: {
    count: 20,
    scale: 0.1,
    branches: [
      [[192, 1]],
      [
        [128, 1],
        [160, [1, 7]],
        [192, [7, 1]],
      ],
    ],
  },
  block8: {
    count: 10,
    scale: 0.2,
    branches: [
      [[192, 1]],
      [
        [192, 1],
        [224, [1, 3]],
        [256, [3, 1]],
      ],
    ],
  },
} as const satisfies Record<string, { count: number; scale: number; branches: readonly (readonly Step[])[] }>

const CHANNELS = { block35: 320, block17: 1088, block8: 2080 } as const

const HALVED_6A: readonly (readonly Step[])[] = [
  [[384, 3, 'halves']],
  [
    [256, 1],
    [256, 3],
    [384, 3, 'halves'],
  ],
]

const HALVED_7A: readonly (readonly Step[])[] = [
  [
    [256, 1],
    [384, 3, 'halves'],
  ],
  [
    [256, 1],
    [288, 3, 'halves'],
  ],
  [
    [256, 1],
    [288, 3],
    [320, 3, 'halves'],
  ],
]

export function inceptionResnetV2(): LayerList {
  const net = network([299, 299, 3])
  const add = builder(net)
  let x = add.convolved(INPUT, [32, 3, 'halves'])
  x = add.convolved(x, [32, 3], 'valid')
  x = add.convolved(x, [64, 3])
  x = add.pooled(x)
  x = add.convolved(x, [80, 1], 'valid')
  x = add.convolved(x, [192, 3], 'valid')
  x = add.pooled(x)
  const first: readonly (readonly Step[])[] = [
    [[96, 1]],
    [
      [48, 1],
      [64, 5],
    ],
    [
      [64, 1],
      [96, 3],
      [96, 3],
    ],
  ]
  const branches = first.map((steps) => add.branch(x, steps))
  const average = pooling(net, 'Average', 'average_pooling2d', x, { size: 3, strides: 1, padding: 'same' })
  x = net.layer('Concatenate', 'mixed_5b', [...branches, add.convolved(average, [64, 1])], { axis: -1 })
  x = residuals(net, add, 'block35', x)
  x = halved(net, add, 'mixed_6a', x, HALVED_6A)
  x = residuals(net, add, 'block17', x)
  x = halved(net, add, 'mixed_7a', x, HALVED_7A)
  x = residuals(net, add, 'block8', x)
  x = convolution(net, 'conv_7b', x, 1536, 1, { padding: 'same', bias: false })
  x = activation(net, 'conv_7b_ac', normalization(net, 'conv_7b_bn', x, { scale: false }), 'relu')
  return net.finish(predictions(net, x))
}

interface Builder {
  convolved(input: string, step: Step, padding?: 'same' | 'valid'): string
  branch(input: string, steps: readonly Step[]): string
  pooled(input: string): string
  /** The name of the next layer that adds a scaled residual. */
  sum(): string
}

/** Keras numbers the layers of the branches in the order in which they are made. */
function builder(net: Network): Builder {
  const counts = new Map<string, number>()
  const next = (base: string): string => {
    const count = counts.get(base) ?? 0
    counts.set(base, count + 1)
    return count === 0 ? base : `${base}_${count}`
  }
  const convolved: Builder['convolved'] = (input, [filters, size, halves], padding) => {
    const fields = {
      strides: halves ? 2 : 1,
      padding: padding ?? (halves ? ('valid' as const) : ('same' as const)),
      bias: false,
    }
    const conv = convolution(net, next('conv2d'), input, filters, size, fields)
    const norm = normalization(net, next('batch_normalization'), conv, { scale: false })
    return activation(net, next('activation'), norm, 'relu')
  }
  return {
    convolved,
    branch: (input, steps) => steps.reduce((x, step) => convolved(x, step), input),
    pooled: (input) => pooling(net, 'Max', next('max_pooling2d'), input, { size: 3, strides: 2 }),
    sum: () => next('custom_scale_layer'),
  }
}

function residuals(net: Network, add: Builder, kind: keyof typeof BLOCKS, input: string): string {
  const { count, scale, branches } = BLOCKS[kind]
  let x = input
  for (let i = 1; i <= count; i++) {
    const name = `${kind}_${i}`
    const isLast = kind === 'block8' && i === count
    const joined = branches.map((steps) => add.branch(x, steps))
    const mixed = net.layer('Concatenate', `${name}_mixed`, joined, { axis: -1 })
    const residual = convolution(net, `${name}_conv`, mixed, CHANNELS[kind], 1, { padding: 'same' })
    x = net.layer('CustomScaleLayer', add.sum(), [x, residual], { scale: isLast ? 1 : scale })
    if (!isLast) x = activation(net, `${name}_ac`, x, 'relu')
  }
  return x
}

function halved(
  net: Network,
  add: Builder,
  name: string,
  input: string,
  branches: readonly (readonly Step[])[],
): string {
  const joined = branches.map((steps) => add.branch(input, steps))
  return net.layer('Concatenate', name, [...joined, add.pooled(input)], { axis: -1 })
}

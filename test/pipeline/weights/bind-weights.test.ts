import { expect } from 'chai'
import { convnext } from '../../../pipeline/models/networks/convnext.ts'
import { inceptionV3 } from '../../../pipeline/models/networks/inception-v3.ts'
import type { LayerList } from '../../../pipeline/models/networks/layer-list.ts'
import { arrayRole } from '../../../pipeline/weights/bind/array-role.ts'
import { bindWeights } from '../../../pipeline/weights/bind/bind-weights.ts'
import { innerPlaces } from '../../../pipeline/weights/bind/inner-places.ts'
import { wantedGroups } from '../../../pipeline/weights/bind/wanted-groups.ts'
import type { SourceGroup } from '../../../pipeline/weights/source/source-array.ts'

const NO_PLACES = new Map()
const bind = (list: LayerList, groups: readonly SourceGroup[]) =>
  bindWeights('file.h5', list, NO_PLACES, groups)

/** The arrays that a list needs, as a file would have them. */
function groupsFor(list: LayerList, rename = (name: string) => name): SourceGroup[] {
  return wantedGroups(list, NO_PLACES).map(({ name, slots }) => ({
    name: rename(name),
    arrays: slots.map(({ role, shape }) => ({
      name: `${rename(name)}/${role}:0`,
      shape,
      read: () => new Float32Array(0),
    })),
  }))
}

/** conv2d → conv2d_1, conv2d_1 → conv2d_2, as in files of a time when names were counted from 1. */
function oneMore(name: string): string {
  const match = /^(conv2d|batch_normalization)(?:_(\d+))?$/.exec(name)
  return match ? `${match[1]}_${Number(match[2] ?? 0) + 1}` : name
}

const dense: LayerList = {
  inputShape: [4],
  output: 'd',
  layers: [
    { name: 'i', className: 'InputLayer', config: {}, inputs: [] },
    { name: 'd', className: 'Dense', config: { units: 4 }, inputs: ['i'] },
    { name: 'e', className: 'Dense', config: { units: 4 }, inputs: ['d'] },
  ],
}

describe('bindWeights', () => {
  it('takes groups in the order of the file if all have other numbers', () => {
    const list = inceptionV3()
    const bound = bind(list, groupsFor(list, oneMore))
    for (const { name } of list.layers) {
      for (const array of bound.get(name) ?? []) expect(array.name.split('/')[0]).to.equal(oneMore(name))
    }
    expect([...bound.values()].flat()).to.have.length(378)
  })

  it('refuses an order in which two layers of one shape have changed places', () => {
    const list = inceptionV3()
    const groups = groupsFor(list, oneMore)
    const shape = ({ arrays, name }: SourceGroup) => `${name.replace(/\d+/, '')} ${arrays[0]?.shape}`
    const a = groups.findIndex((group, i) => groups.findIndex((it) => shape(it) === shape(group)) < i)
    const b = groups.findIndex((group) => shape(group) === shape(groups[a] ?? group))
    const [one, other] = [groups[a], groups[b]]
    if (!one || !other || one === other) throw new Error('no two layers of one shape')
    groups[a] = other
    groups[b] = one
    expect(() => bind(list, groups)).to.throw(/in another order than the model/)
  })

  it('finds groups by their names in whatever order the file has them', () => {
    const groups = groupsFor(dense).reverse()
    expect(bind(dense, groups).get('d')?.[0]?.name).to.equal('d/kernel:0')
  })

  it('finds arrays by their names in whatever order the group has them', () => {
    const groups = groupsFor(dense).map(({ name, arrays }) => ({ name, arrays: [...arrays].reverse() }))
    expect(
      bind(dense, groups)
        .get('e')
        ?.map(({ name }) => name),
    ).to.deep.equal(['e/kernel:0', 'e/bias:0'])
  })

  it('takes arrays whose names have no role in the order of the file', () => {
    const groups = groupsFor(dense).map(({ name, arrays }) => ({
      name,
      arrays: arrays.map((array, i) => ({ ...array, name: `param_${i}` })),
    }))
    expect(
      bind(dense, groups)
        .get('d')
        ?.map(({ name }) => name),
    ).to.deep.equal(['param_0', 'param_1'])
  })

  const without = (groups: SourceGroup[], index: number) => groups.filter((_, i) => i !== index)
  const WRONG: [title: string, groups: SourceGroup[], message: RegExp][] = [
    [
      'a group that is missing',
      without(groupsFor(dense), 1),
      /weights for 1 layers, .* for 2; there are none for "e"/,
    ],
    [
      'a group too many',
      [...groupsFor(dense), ...groupsFor(dense, (name) => `${name}x`)],
      /the model has no "dx", "ex"/,
    ],
    [
      'an array that is missing',
      groupsFor(dense).map(({ name, arrays }) => ({ name, arrays: arrays.slice(1) })),
      /has 1 arrays/,
    ],
    [
      'an array of another shape',
      groupsFor(dense).map(({ name, arrays }) => ({
        name,
        arrays: arrays.map((array) => ({ ...array, shape: [4, 5] })),
      })),
      /kernel of layer "d" must have the shape \[4, 4\]; "d\/kernel:0" has \[4, 5\]/,
    ],
    [
      'an array of another role',
      groupsFor(dense).map(({ name, arrays }) => ({
        name,
        arrays: arrays.map((array) => ({ ...array, name: 'gamma' })),
      })),
      /"gamma" stands where the kernel/,
    ],
  ]
  for (const [title, groups, message] of WRONG) {
    it(`refuses ${title}`, () => expect(() => bind(dense, groups)).to.throw(message))
  }
})

describe('innerPlaces', () => {
  const list = convnext('tiny')
  /** The groups of a file in which the inner models have other names. */
  const groupsAs = (rename: (name: string) => string) =>
    wantedGroups(list, innerPlaces(list, new Set())).map(({ name, slots }) => ({
      name: rename(name),
      arrays: slots.map(({ role, shape, ownName }) => ({
        name: `${ownName}/${role}:0`,
        shape,
        read: () => new Float32Array(0),
      })),
    }))
  const bound = (groups: readonly SourceGroup[]) =>
    bindWeights('file.h5', list, innerPlaces(list, new Set(groups.map(({ name }) => name))), groups)
  const INNER = 'convnext_tiny_stem/convnext_tiny_stem_conv'

  it('finds the arrays of inner models in the group of the outer name', () => {
    expect(
      bound(groupsAs((name) => name))
        .get(INNER)
        ?.map(({ name }) => name),
    ).to.deep.equal(['convnext_tiny_stem_conv/kernel:0', 'convnext_tiny_stem_conv/bias:0'])
  })

  it('finds them by their place if the file has other names', () => {
    const groups = groupsAs((name) => name.replace(/^convnext_tiny_(stem|downsampling_block)/, 'sequential'))
    expect(groups[0]?.name).to.equal('sequential')
    expect(
      bound(groups)
        .get(INNER)
        ?.map(({ name }) => name),
    ).to.include('convnext_tiny_stem_conv/kernel:0')
  })

  it('finds them in groups of their own if the file has these', () => {
    const groups: SourceGroup[] = wantedGroups(list, new Map()).map(({ name, slots }) => ({
      name,
      arrays: slots.map(({ role, shape }) => ({ name: `${role}:0`, shape, read: () => new Float32Array(0) })),
    }))
    expect(
      bound(groups)
        .get(INNER)
        ?.map(({ shape }) => shape),
    ).to.deep.equal([[4, 4, 3, 96], [96]])
  })
})

describe('wantedGroups', () => {
  const inner = (frozen: boolean) =>
    new Map(
      ['m/c', 'm/n', 'm/d'].map((name) => [name, { group: 'm', ownName: name.slice(2), path: '', frozen }]),
    )
  const list: LayerList = {
    inputShape: [4, 4, 3],
    output: 'm/d',
    layers: [
      { name: 'i', className: 'InputLayer', config: {}, inputs: [] },
      { name: 'm/c', className: 'Conv2D', config: { filters: 2, kernel_size: [1, 1] }, inputs: ['i'] },
      { name: 'm/n', className: 'BatchNormalization', config: {}, inputs: ['m/c'] },
      { name: 'm/d', className: 'Dense', config: { units: 2, use_bias: false }, inputs: ['m/n'] },
    ],
  }
  const order = (frozen: boolean) => wantedGroups(list, inner(frozen))[0]?.slots.map(({ role }) => role)

  it('has the trainable arrays of an inner model before the others', () => {
    const trained = ['kernel', 'bias', 'gamma', 'beta', 'kernel']
    expect(order(false)).to.deep.equal([...trained, 'moving_mean', 'moving_variance'])
  })

  it('has the layers of a frozen inner model one after the other', () => {
    const norm = ['gamma', 'beta', 'moving_mean', 'moving_variance']
    expect(order(true)).to.deep.equal(['kernel', 'bias', ...norm, 'kernel'])
  })
})

describe('arrayRole', () => {
  const ROLES: Record<string, string | undefined> = {
    'conv/kernel:0': 'kernel',
    'outer/conv/kernel': 'kernel',
    'conv_dw_1/depthwise_kernel:0': 'depthwise_kernel',
    'bn/moving_variance:0': 'moving_variance',
    'block1_conv1_W_1:0': 'kernel',
    block1_conv1_b: 'bias',
    'bn_conv1_running_std_1:0': 'moving_variance',
    'bn_conv1_running_mean_1:0': 'moving_mean',
    'layers/dense/vars/0': undefined,
    param_0: undefined,
    web: undefined,
  }
  for (const [name, role] of Object.entries(ROLES)) {
    it(`${name} is ${role ?? 'unknown'}`, () => expect(arrayRole(name)).to.equal(role))
  }
})

const ROLES = [
  'depthwise_kernel',
  'pointwise_kernel',
  'kernel',
  'bias',
  'gamma',
  'beta',
  'moving_mean',
  'moving_variance',
  'alpha',
  'embeddings',
  'scale',
  'mean',
  'variance',
  'count',
] as const

// Keras 1's names. Despite its name, running_std holds the variance.
const FORMERLY: ReadonlyMap<string, string> = new Map([
  ['W', 'kernel'],
  ['b', 'bias'],
  ['running_mean', 'moving_mean'],
  ['running_std', 'moving_variance'],
])

const KNOWN = new RegExp(`(?:^|_)(${[...ROLES, ...FORMERLY.keys()].join('|')})(?:_\\d+)?$`)

/** The role of an array, from its name: `conv/kernel:0`, `conv/kernel` and `conv_W_1:0` are all a kernel. */
export function arrayRole(name: string): string | undefined {
  const last = name.slice(name.lastIndexOf('/') + 1).replace(/:\d+$/, '')
  const role = KNOWN.exec(last)?.[1]
  return role === undefined ? undefined : (FORMERLY.get(role) ?? role)
}

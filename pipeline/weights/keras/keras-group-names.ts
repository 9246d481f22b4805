/** Keras 3's names for the groups of a model's layers: conv2d, conv2d_1, ... */
export function numberByClass(): (className: string) => string {
  const counts = new Map<string, number>()
  return (className) => {
    const base = snakeCase(className === 'Model' ? 'Functional' : className)
    const count = counts.get(base) ?? 0
    counts.set(base, count + 1)
    return count === 0 ? base : `${base}_${count}`
  }
}

/** DepthwiseConv2D → depthwise_conv2d, ReLU → re_lu, by Keras' rules. */
function snakeCase(name: string): string {
  return name
    .replace(/\W+/g, '')
    .replace(/(.)([A-Z][a-z]+)/g, '$1_$2')
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase()
}

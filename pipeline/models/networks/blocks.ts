import type { Network } from './network.ts'

/*
 * The layers of the catalog's networks. Fields have Keras' names, so that a layer built here looks like a layer read
 * from a file.
 */

type Size = number | readonly [number, number]

const both = (size: Size): readonly [number, number] => (typeof size === 'number' ? [size, size] : size)

const allSides = (n: number) => [both(n), both(n)] as const

export interface ConvolutionFields {
  readonly strides?: Size
  readonly padding?: 'same' | 'valid'
  readonly activation?: string
  readonly bias?: boolean
  readonly groups?: number
}

const convolutionConfig = (size: Size, fields: ConvolutionFields) => ({
  kernel_size: both(size),
  strides: both(fields.strides ?? 1),
  padding: fields.padding ?? 'valid',
  data_format: 'channels_last',
  dilation_rate: [1, 1],
  activation: fields.activation ?? 'linear',
  use_bias: fields.bias ?? true,
})

export function convolution(
  to: Network,
  name: string,
  input: string,
  filters: number,
  size: Size,
  fields: ConvolutionFields = {},
): string {
  const { groups = 1 } = fields
  return to.layer('Conv2D', name, input, { filters, groups, ...convolutionConfig(size, fields) })
}

export function depthwise(
  to: Network,
  name: string,
  input: string,
  size: Size,
  fields: Omit<ConvolutionFields, 'groups'>,
): string {
  return to.layer('DepthwiseConv2D', name, input, { depth_multiplier: 1, ...convolutionConfig(size, fields) })
}

export function separable(
  to: Network,
  name: string,
  input: string,
  filters: number,
  size: Size,
  fields: Omit<ConvolutionFields, 'groups'>,
): string {
  const config = { filters, depth_multiplier: 1, ...convolutionConfig(size, fields) }
  return to.layer('SeparableConv2D', name, input, config)
}

export function normalization(
  to: Network,
  name: string,
  input: string,
  { epsilon = 1e-3, scale = true }: { epsilon?: number; scale?: boolean } = {},
): string {
  return to.layer('BatchNormalization', name, input, { axis: -1, epsilon, center: true, scale })
}

export function activation(to: Network, name: string, input: string, word: string): string {
  return to.layer('Activation', name, input, { activation: word })
}

/** The rectifier of the MobileNets, which stops at 6. */
export function relu6(to: Network, name: string, input: string): string {
  return to.layer('ReLU', name, input, { max_value: 6, negative_slope: 0, threshold: 0 })
}

export function relu(to: Network, name: string, input: string): string {
  return to.layer('ReLU', name, input, { negative_slope: 0, threshold: 0 })
}

export function padding(
  to: Network,
  name: string,
  input: string,
  /** One number for all sides, or numbers before and after the rows and the columns. */
  borders: number | readonly [readonly [number, number], readonly [number, number]],
): string {
  const padding = typeof borders === 'number' ? allSides(borders) : borders
  return to.layer('ZeroPadding2D', name, input, { padding, data_format: 'channels_last' })
}

export function pooling(
  to: Network,
  kind: 'Max' | 'Average',
  name: string,
  input: string,
  { size, strides, padding = 'valid' }: { size: number; strides: number; padding?: 'same' | 'valid' },
): string {
  return to.layer(`${kind}Pooling2D`, name, input, {
    pool_size: both(size),
    strides: both(strides),
    padding,
    data_format: 'channels_last',
  })
}

export function globalAverage(to: Network, name: string, input: string, keepdims = false): string {
  return to.layer('GlobalAveragePooling2D', name, input, { keepdims, data_format: 'channels_last' })
}

export function dense(to: Network, name: string, input: string, units: number, word: string): string {
  return to.layer('Dense', name, input, { units, activation: word, use_bias: true })
}

/** The end of many networks: the mean of each channel, and a probability for each class of ImageNet. */
export function predictions(to: Network, input: string): string {
  return dense(to, 'predictions', globalAverage(to, 'avg_pool', input), 1000, 'softmax')
}

/** Gives the layers that Keras names by itself their names: add, add_1, add_2 … */
export function numberedNames(): (base: string) => string {
  const counts = new Map<string, number>()
  return (base) => {
    const count = counts.get(base) ?? 0
    counts.set(base, count + 1)
    return count === 0 ? base : `${base}_${count}`
  }
}

/** A multiple of 8, not more than a tenth below the wanted number. */
export function roundedChannels(wanted: number): number {
  const rounded = multipleOf8(wanted)
  return rounded < 0.9 * wanted ? rounded + 8 : rounded
}

/** The nearest multiple of 8, and at least 8. */
export function multipleOf8(wanted: number): number {
  return Math.max(8, Math.floor((wanted + 4) / 8) * 8)
}

/** The borders with which a convolution of stride 2 sees an image of even size from its first pixel on. */
export function aroundHalved(window: number, side: number) {
  const half = Math.floor(window / 2)
  const pair = [half - (1 - (side % 2)), half] as const
  return [pair, pair] as const
}

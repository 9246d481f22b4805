import type { Layer, LayerList } from '../../models/networks/layer-list.ts'

/** No picture has more channels than red, green, blue and opacity. */
const MOST_CHANNELS = 4

/**
 * A model of channels_first takes images (channels, height, width). Pictures come pixel by pixel, so that the input here
 * is (height, width, channels), and the first layer brings it into the model's order.
 */
export function channelsLastInput(list: LayerList): LayerList {
  const [channels = 0, height = 0, width = 0, ...more] = list.inputShape
  const [input] = list.layers
  const isFirst =
    width > 0 && more.length === 0 && channels <= MOST_CHANNELS && list.layers.some(hasChannelsFirst)
  if (!input || !isFirst) return list
  const name = `${input.name}:channels_first`
  const moved = (inputs: readonly string[]) => inputs.map((one) => (one === input.name ? name : one))
  const order: Layer = { name, className: 'Permute', config: { dims: [3, 1, 2] }, inputs: [input.name] }
  const rest = list.layers.slice(1).map((layer) => ({ ...layer, inputs: moved(layer.inputs) }))
  return {
    ...list,
    inputShape: [height, width, channels],
    layers: [input, order, ...rest],
    output: list.output === input.name ? name : list.output,
  }
}

const hasChannelsFirst = ({ className, config }: Layer): boolean =>
  config.data_format === 'channels_first' && className !== 'Flatten'

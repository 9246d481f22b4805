import type { Kind } from '../kind.ts'
import { kind } from '../kind.ts'
import { notSupported } from '../layer-config.ts'
import { unused } from '../options.ts'

/** The options of layers that act only in training. All of them are about training, so none changes an answer. */
const TRAINING_ONLY: Readonly<Record<string, readonly string[]>> = {
  ActivityRegularization: ['l1', 'l2'],
  AlphaDropout: ['rate'],
  AugMix: ['num_chains', 'chain_depth', 'factor', 'alpha', 'all_ops', 'interpolation'],
  CutMix: ['factor'],
  Dropout: ['rate'],
  FixedDropout: ['rate'],
  GaussianDropout: ['rate'],
  GaussianNoise: ['stddev'],
  Identity: [],
  MixUp: ['alpha'],
  RandAugment: ['num_ops', 'factor', 'interpolation'],
  RandomBrightness: ['factor'],
  RandomColorDegeneration: ['factor'],
  RandomColorJitter: ['brightness_factor', 'contrast_factor', 'saturation_factor', 'hue_factor'],
  RandomContrast: ['factor'],
  RandomElasticTransform: ['factor', 'scale', 'interpolation', 'fill_mode', 'fill_value'],
  RandomErasing: ['factor', 'scale', 'fill_value'],
  RandomFlip: ['mode'],
  RandomGaussianBlur: ['factor', 'kernel_size', 'sigma'],
  RandomGrayscale: ['factor'],
  RandomHeight: ['factor', 'interpolation'],
  RandomHue: ['factor'],
  RandomInvert: ['factor'],
  RandomPerspective: ['factor', 'scale', 'interpolation', 'fill_value'],
  RandomPosterization: ['factor'],
  RandomRotation: ['factor', 'fill_mode', 'fill_value', 'interpolation'],
  RandomSaturation: ['factor'],
  RandomSharpness: ['factor'],
  RandomShear: ['x_factor', 'y_factor', 'interpolation', 'fill_mode', 'fill_value'],
  RandomTranslation: ['height_factor', 'width_factor', 'fill_mode', 'fill_value', 'interpolation'],
  RandomWidth: ['factor', 'interpolation'],
  RandomZoom: ['height_factor', 'width_factor', 'fill_mode', 'fill_value', 'interpolation'],
  SpatialDropout1D: ['rate'],
  SpatialDropout2D: ['rate'],
  StochasticDepth: ['rate', 'drop_path_rate', 'survival_probability'],
}

const ALWAYS = ['data_format', 'value_range', 'auto_vectorize', 'bounding_box_format', 'force_generator']

const identity = (options: readonly string[]): Kind =>
  kind(Object.fromEntries([...options, ...ALWAYS].map((name) => [name, unused])), (_, [x], layer) => {
    if (!x.batched) throw notSupported(layer, 'its input is a constant')
    return { shape: x.shape, emit: ({ inputs: [input] }) => input }
  })

export const TRAINING_ONLY_LAYERS: readonly (readonly [string, Kind])[] = Object.entries(TRAINING_ONLY).map(
  ([name, options]) => [name, identity(options)],
)

import { subgroup, writeH5 } from './write-keras-h5.ts'

/** A model of Keras: the mean of the colours, and two classes, the first for dark pictures, the second for bright ones. */
export function writeBrightness(path: string): Promise<void> {
  const layers = [
    {
      class_name: 'InputLayer',
      config: { name: 'input', batch_input_shape: [null, 8, 8, 3], dtype: 'float32' },
    },
    { class_name: 'GlobalAveragePooling2D', config: { name: 'mean', data_format: 'channels_last' } },
    { class_name: 'Dense', config: { name: 'classes', units: 2, activation: 'softmax', use_bias: true } },
  ]
  return writeH5(path, (file) => {
    file.create_attribute(
      'model_config',
      JSON.stringify({ class_name: 'Sequential', config: { name: 'small', layers } }),
    )
    file.create_attribute('keras_version', '2.15.0')
    file.create_attribute('backend', 'tensorflow')
    const weights = subgroup(file, 'model_weights')
    weights.create_attribute('layer_names', ['classes'], [1], 'S64')
    const outer = subgroup(weights, 'classes')
    outer.create_attribute('weight_names', ['classes/kernel:0', 'classes/bias:0'], [2], 'S64')
    const inner = subgroup(outer, 'classes')
    const kernel = Float32Array.of(-1, 1, -1, 1, -1, 1)
    inner.create_dataset({ name: 'kernel:0', data: kernel, shape: [3, 2], dtype: '<f' })
    inner.create_dataset({ name: 'bias:0', data: Float32Array.of(0, 0), shape: [2], dtype: '<f' })
  })
}

import { unsupported } from '../source/model-file-error.ts'
import type { JsonObject } from '../source/parse-json.ts'

/** Keras 1's names of fields. Undefined: the field matters in training only. */
const FIELDS: ReadonlyMap<string, string | undefined> = new Map([
  ['nb_filter', 'filters'],
  ['output_dim', 'units'],
  ['subsample', 'strides'],
  ['subsample_length', 'strides'],
  ['stride', 'strides'],
  ['pool_length', 'pool_size'],
  ['filter_length', 'kernel_size'],
  ['border_mode', 'padding'],
  ['atrous_rate', 'dilation_rate'],
  ['bias', 'use_bias'],
  ['p', 'rate'],
  ['sigma', 'stddev'],
  ['init', undefined],
  ['beta_init', undefined],
  ['gamma_init', undefined],
  ['weights', undefined],
  ['input_dim', undefined],
  ['input_length', undefined],
  ['cache_enabled', undefined],
])

const MERGES: ReadonlyMap<unknown, string> = new Map<unknown, string>([
  ['sum', 'Add'],
  ['mul', 'Multiply'],
  ['ave', 'Average'],
  ['max', 'Maximum'],
  ['concat', 'Concatenate'],
])

const CLASSES: ReadonlyMap<string, string> = new Map([
  ['Convolution1D', 'Conv1D'],
  ['Convolution2D', 'Conv2D'],
  ['AtrousConvolution2D', 'Conv2D'],
  ['SeparableConvolution2D', 'SeparableConv2D'],
])

/** Whether a layer is written as Keras 1 wrote layers. */
export function isOfKeras1(className: string, config: JsonObject): boolean {
  const marks = ['nb_filter', 'nb_row', 'output_dim', 'border_mode', 'dim_ordering', 'beta_init']
  return (
    className === 'Merge' ||
    (className === 'Dropout' && 'p' in config) ||
    // Embedding has an output_dim to this day.
    (className !== 'Embedding' && marks.some((mark) => Object.hasOwn(config, mark)))
  )
}

/** A layer of Keras 1 as Keras 2 would write it. */
export function fromKeras1(className: string, config: JsonObject): { className: string; config: JsonObject } {
  if (className === 'Merge') return merge(config)
  const { nb_row: rows, nb_col: columns, dim_ordering: order, ...rest } = config
  const fields = Object.entries(rest).flatMap(([key, value]): [string, unknown][] => {
    const name = FIELDS.has(key) ? FIELDS.get(key) : key
    return name === undefined ? [] : [[name, value]]
  })
  return {
    className: CLASSES.get(className) ?? className,
    config: {
      ...Object.fromEntries(fields),
      ...(rows !== undefined && { kernel_size: [rows, columns] }),
      ...(order !== undefined &&
        order !== 'default' && { data_format: order === 'th' ? 'channels_first' : 'channels_last' }),
    },
  }
}

function merge({ mode, concat_axis: axis }: JsonObject): { className: string; config: JsonObject } {
  const className = MERGES.get(mode)
  if (className === undefined)
    throw unsupported(
      `A layer of class Merge has the mode ${JSON.stringify(mode)}; ${[...MERGES.keys()].join(', ')} can be served.`,
    )
  return { className, config: className === 'Concatenate' ? { axis: axis ?? -1 } : {} }
}

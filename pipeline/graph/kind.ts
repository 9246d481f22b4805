import type { Layer } from '../models/networks/layer-list.ts'
import { EXPORT_ONNX, layerError, notSupported, quote } from './layer-config.ts'
import type { OnnxGraph } from './onnx-graph.ts'
import type { Shape } from './shape.ts'
import type { Value } from './value.ts'
import type { WinogradForm, WinogradShape } from './winograd/form.ts'

export type { Shape } from './shape.ts'

/** An input of a layer, before anything is computed. */
export interface Operand {
  /** Without the batch; of a constant, which has no batch, the whole shape. */
  readonly shape: Shape
  readonly batched: boolean
}

export interface ExpectedArray {
  /** Keras' name of the array: kernel, bias, gamma, … */
  readonly role: string
  readonly shape: Shape
  /** The part of the layer that has the array, by its name in a .keras file, for layers made of other layers. */
  readonly part?: string
  /** Not trainable whatever the layer is: Keras writes such arrays after the others. */
  readonly fixed?: true
}

/** What a layer computes, known before any weight is read. */
export interface Plan {
  /** The shape of the output, without the batch. */
  readonly shape: Shape
  /** The output is the same for every image. */
  readonly unbatched?: true
  /** The arrays of weights that the layer must have, in Keras' order. */
  readonly arrays?: readonly ExpectedArray[]
  /** The axis whose channels a batch normalization after the layer may scale within the layer itself. */
  readonly foldable?: number
  /** The layer is y = factor · x + shift along an axis, and may be folded into the layer before. */
  readonly affine?: { readonly axis: number; read(read: Read): Promise<Affine> }
  /** A 3 × 3 convolution that can be computed by Winograd's way. */
  readonly winograd?: WinogradShape & {
    /** A larger sum gives no smaller result, so that a maximum may be taken before bias and activation. */
    readonly isRising: boolean
  }
  /** Takes the maximum of each 2 × 2 pixels. */
  readonly halves?: true
  emit(emission: Emission): Promise<Value> | Value
}

/** The output has a batch if the input has one. */
export const batchless = ({ batched }: Pick<Operand, 'batched'>): Pick<Plan, 'unbatched'> =>
  batched ? {} : { unbatched: true }

/** Reads one array of the layer's weights by its role; undefined if the layer has no such array. */
export type Read = (role: string) => Promise<Float32Array | undefined>

/** What is known once the layers before have been emitted. */
export interface Emission {
  readonly graph: OnnxGraph
  readonly inputs: readonly [Value, ...Value[]]
  readonly read: Read
  /** The batch normalization after this layer, if the two are merged. */
  readonly affine?: Affine
  /** The layer is to be computed by Winograd's way, in this form. `pool`: together with the maximum of the layer after it. */
  readonly winograd?: { readonly form: WinogradForm; readonly pool: boolean }
}

/** y = factor · x + shift, for each channel. */
export interface Affine {
  readonly factors: Float64Array
  readonly shifts: Float64Array
}

/** Reads one option of a layer, checks it, and gives it a default. */
export type Option<T> = (layer: Layer, field: string) => T

export type Options = Readonly<Record<string, Option<unknown>>>

export type OptionValues<S extends Options> = { readonly [K in keyof S]: ReturnType<S[K]> }

export type Inputs = readonly [Operand, ...Operand[]]

/** Plans a layer inside another layer, such as that of TimeDistributed. */
export type PlanInner = (inner: Layer, inputs: Inputs) => Plan

/** One Keras class: its options, and what a layer of the class computes. */
export interface Kind {
  /** Every option that a layer may have. A layer with another one is refused. */
  readonly options: readonly string[]
  /** Throws unless all options are known and well-formed. */
  check(layer: Layer): void
  plan(layer: Layer, inputs: readonly Operand[], inner: PlanInner): Plan
  /** For operations, which take their inputs as arguments. */
  readonly call?: Call
}

/** The parameters of an operation, in Keras' order. */
export interface Call {
  /** The parameters that are tensors or constants. `list`: the first parameter is a list of tensors. */
  readonly tensors: readonly string[] | 'list'
  /** Parameters that are no tensors, after the tensors; they become options of the same name. */
  readonly rest?: readonly string[]
}

interface More {
  /** The fewest and the most inputs; one by default. */
  readonly inputs?: readonly [number, number]
  readonly call?: Call
}

/** A concatenation in a DenseNet takes a few dozen. */
const MAX_INPUTS = 10_000

export function kind<S extends Options>(
  options: S,
  plan: (values: OptionValues<S>, inputs: Inputs, layer: Layer, inner: PlanInner) => Plan,
  { inputs: [fewest, most] = [1, 1], call }: More = {},
): Kind {
  return {
    options: Object.keys(options),
    ...(call && { call }),
    check: (layer) => void valuesOf(layer, options),
    plan(layer, inputs, inner) {
      const count = inputs.length
      if (count === 0 && fewest > 0) throw layerError(layer, 'it has no input')
      if (count > MAX_INPUTS)
        throw layerError(layer, `it has ${count} inputs, and the limit is ${MAX_INPUTS}`)
      if (count < fewest || count > most) {
        const wanted = most === 1 ? 'one' : `${fewest}${most > fewest ? ' or more' : ''}`
        throw layerError(layer, `it has ${count} inputs and should have ${wanted}`)
      }
      return plan(valuesOf(layer, options), inputs as Inputs, layer, inner)
    },
  }
}

function valuesOf<S extends Options>(layer: Layer, options: S): OptionValues<S> {
  const known: ReadonlySet<string> = new Set(Object.keys(options))
  for (const [name, value] of Object.entries(layer.config)) {
    // null is how Keras writes an option that is not set.
    if (known.has(name) || value === null || value === undefined) continue
    throw notSupported(
      layer,
      `it has the option ${quote(name)} (${quote(value)}), which Tandem does not know: ${EXPORT_ONNX}`,
    )
  }
  const values = Object.entries(options).map(([name, read]) => [name, read(layer, name)])
  return Object.fromEntries(values) as OptionValues<S>
}

export async function readRequired(read: Read, role: string): Promise<Float32Array> {
  const array = await read(role)
  if (!array) throw new Error(`a layer has no ${role}`)
  return array
}

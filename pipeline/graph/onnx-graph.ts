import { PipelineError } from '../errors.ts'
import { COMPILER_VERSION } from './compiler-version.ts'
import { externalData } from './external-data.ts'
import {
  ATTRIBUTE,
  type AttributeProto,
  EXTERNAL,
  encodeModel,
  FLOAT,
  INT64,
  type NodeProto,
  type TensorProto,
  UINT8,
  type ValueInfoProto,
} from './onnx-schema.ts'
import { INPUT_NAME } from './tensor-names.ts'

/** An ONNX graph that is built node by node. A tensor is identified by its name. */
export interface OnnxGraph {
  /** Sets a name for all nodes and tensors that follow, to be seen in a graph viewer. */
  label(name: string): void
  /** Adds a node with one output, and returns the output. */
  node(op: string, inputs: readonly string[], attributes?: Attributes): string
  /** Adds a node with several outputs, and returns the outputs. */
  nodes(op: string, inputs: readonly string[], count: number, attributes?: Attributes): string[]
  /** A small constant tensor; the same numbers give the same tensor. */
  floats(values: readonly number[], shape: readonly number[]): string
  integers(values: readonly number[]): string
  /** A tensor of weights, given in pieces. */
  weights(shape: readonly number[], pieces: Iterable<Float32Array>): Promise<string>
  /** The whole model as the bytes of an .onnx file. */
  finish(input: GraphInput, outputs: readonly GraphOutput[]): Uint8Array
}

/** A plain number is an integer, `{ float }` a float: ONNX distinguishes the two, JavaScript does not. */
export type Attributes = Readonly<
  Record<string, number | string | readonly number[] | { readonly float: number }>
>

export interface GraphInput {
  readonly type: 'uint8' | 'float32'
  readonly shape: readonly number[]
}

export interface GraphOutput {
  readonly name: string
  readonly tensor: string
  readonly shape: readonly number[]
}

/** Gelu needs opset 20. ONNX Runtime 1.30 reads later opsets too, but other tools may not. */
const OPSET = 20
const IR_VERSION = 9

/** A tensor smaller than a page is stored in the model itself: mapping it would gain nothing and cost a system call. */
const INLINE_BELOW_BYTES = 4096

export function onnxGraph(dataFile: string, write: (bytes: Uint8Array) => Promise<void>): OnnxGraph {
  const nodes: NodeProto[] = []
  const initializers: TensorProto[] = []
  const constants = new Map<string, string>()
  const external = externalData(write)
  let label = ''
  let count = 0

  // The number makes names unique even if a file has layers with equal names.
  const uniqueName = () => `${++count}:${label}`

  function constant(dataType: number, shape: readonly number[], rawData: Uint8Array): string {
    const key = `${dataType} ${shape.join()} ${Buffer.from(rawData).toString('base64')}`
    const known = constants.get(key)
    if (known !== undefined) return known
    const name = `constant ${++count}`
    initializers.push({ name, dims: [...shape], dataType, rawData })
    constants.set(key, name)
    return name
  }

  function add(opType: string, inputs: readonly string[], count: number, attributes: Attributes = {}) {
    const name = uniqueName()
    const output = Array.from({ length: count }, (_, i) => (i === 0 ? name : `${name}:${i}`))
    const attribute = Object.entries(attributes).map(([key, value]) => attributeProto(key, value))
    nodes.push({ name, opType, input: [...inputs], output, attribute })
    return output
  }

  return {
    label: (name) => {
      label = name
    },
    node: (opType, inputs, attributes) => add(opType, inputs, 1, attributes)[0] ?? '',
    nodes: add,
    floats: (values, shape) => constant(FLOAT, shape, bytesOf(Float32Array.from(values))),
    integers: (values) => constant(INT64, [values.length], bytesOf(BigInt64Array.from(values, BigInt))),
    async weights(shape, pieces) {
      const name = uniqueName()
      const bytes = 4 * shape.reduce((product, size) => product * size, 1)
      const tensor: TensorProto = { name, dims: [...shape], dataType: FLOAT }
      initializers.push(tensor)
      if (bytes < INLINE_BELOW_BYTES) {
        tensor.rawData = Buffer.concat([...pieces].map(bytesOf))
        expectBytes(name, tensor.rawData.length, bytes)
        return name
      }
      const { offset, length } = await external.append(pieces)
      expectBytes(name, length, bytes)
      tensor.dataLocation = EXTERNAL
      tensor.externalData = Object.entries({ location: dataFile, offset, length }).map(([key, value]) => ({
        key,
        value: String(value),
      }))
      return name
    },
    finish(input, outputs) {
      for (const { tensor, name } of outputs) rename(nodes, tensor, name)
      return encodeModel({
        irVersion: IR_VERSION,
        producerName: 'tandem',
        producerVersion: String(COMPILER_VERSION),
        opsetImport: [{ domain: '', version: OPSET }],
        graph: {
          name: 'model',
          node: nodes,
          initializer: initializers,
          input: [valueInfo(INPUT_NAME, input.type === 'uint8' ? UINT8 : FLOAT, input.shape)],
          output: outputs.map(({ name, shape }) => valueInfo(name, FLOAT, shape)),
        },
      })
    },
  }
}

function attributeProto(name: string, value: Attributes[string]): AttributeProto {
  if (typeof value === 'number') return { name, type: ATTRIBUTE.int, i: value }
  if (typeof value === 'string') return { name, type: ATTRIBUTE.string, s: Buffer.from(value) }
  if ('float' in value) return { name, type: ATTRIBUTE.float, f: value.float }
  return { name, type: ATTRIBUTE.ints, ints: [...value] }
}

/** The first axis is the batch, of any size. */
function valueInfo(name: string, elemType: number, shape: readonly number[]): ValueInfoProto {
  const dim = [{ dimParam: 'n' }, ...shape.map((dimValue) => ({ dimValue }))]
  return { name, type: { tensorType: { elemType, shape: { dim } } } }
}

function rename(nodes: readonly NodeProto[], from: string, to: string): void {
  const renamed = (names: string[]) => names.map((name) => (name === from ? to : name))
  for (const node of nodes) Object.assign(node, { input: renamed(node.input), output: renamed(node.output) })
}

/** If a tensor had fewer bytes than its shape needs, the engine would read bytes of the next tensor. */
function expectBytes(name: string, found: number, expected: number): void {
  if (found === expected) return
  throw new PipelineError(
    'ERR_MODEL_LOAD',
    `The weights of '${name}' have ${found} bytes; ${expected} are needed.`,
  )
}

function bytesOf(array: Float32Array | BigInt64Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
}

import { COMPILER_VERSION } from '../graph/compiler-version.ts'
import { externalData } from '../graph/external-data.ts'
import {
  EXTERNAL,
  encodeModel,
  FLOAT,
  INT8,
  INT32,
  INT64,
  type NodeProto,
  type TensorProto,
  UINT8,
  type ValueInfoProto,
} from '../graph/onnx-schema.ts'

/** A graph with bytes that is built node by node. */
export interface ByteGraph {
  add(node: Omit<NodeProto, 'name'>): void
  /** Keeps a constant as it is. */
  keep(tensor: TensorProto): void
  /** A name that no tensor has. */
  fresh(like: string): string
  scale(scale: number): string
  scales(values: ArrayLike<number>): string
  zero(zero: number): string
  integers(values: readonly number[]): string
  /** Numbers for the channels of images. */
  channels(values: Float32Array): string
  /** Zeros of weights, which have a sign. */
  signedZeros(count: number): string
  biases(values: Int32Array): string
  weights(dims: readonly number[], array: Int8Array | Float32Array, name?: string): Promise<string>
  finish(input: ValueInfoProto, outputs: readonly ValueInfoProto[]): Uint8Array
}

/** The operators that ONNX Runtime adds to those of ONNX. */
export const MICROSOFT = 'com.microsoft'

const OPSET = 20
const IR_VERSION = 9
const INLINE_BELOW_BYTES = 4096

export function byteGraph(dataFile: string, write: (bytes: Uint8Array) => Promise<void>): ByteGraph {
  const nodes: NodeProto[] = []
  const tensors = new Map<string, TensorProto>()
  const external = externalData(write)
  let count = 0
  const fresh = (like: string) => `${++count}:${like}`

  function constant(name: string, dataType: number, dims: number[], array: ArrayBufferView): string {
    if (!tensors.has(name)) tensors.set(name, { name, dims, dataType, rawData: bytesOf(array) })
    return name
  }

  return {
    add: (node) => nodes.push({ ...node, name: node.output[0] ?? fresh(node.opType) }),
    keep: (tensor) => tensors.set(tensor.name, tensor),
    fresh,
    scale: (scale) => constant(`scale ${scale}`, FLOAT, [], Float32Array.of(scale)),
    scales: (values) => constant(fresh('scales'), FLOAT, [values.length], Float32Array.from(values)),
    zero: (zero) => constant(`zero ${zero}`, UINT8, [], Uint8Array.of(zero)),
    integers: (values) =>
      constant(fresh('integers'), INT64, [values.length], BigInt64Array.from(values, BigInt)),
    channels: (values) => constant(fresh('channels'), FLOAT, [values.length, 1, 1], values),
    signedZeros: (count) => constant(`${count} zeros of weights`, INT8, [count], new Int8Array(count)),
    biases: (values) => constant(fresh('biases'), INT32, [values.length], values),
    async weights(dims, array, name = fresh('weights')) {
      const tensor: TensorProto = {
        name,
        dims: [...dims],
        dataType: array instanceof Int8Array ? INT8 : FLOAT,
      }
      tensors.set(name, tensor)
      if (array.byteLength < INLINE_BELOW_BYTES) {
        tensor.rawData = bytesOf(array)
        return name
      }
      const { offset, length } = await external.append([array])
      tensor.dataLocation = EXTERNAL
      tensor.externalData = Object.entries({ location: dataFile, offset, length }).map(([key, value]) => ({
        key,
        value: String(value),
      }))
      return name
    },
    finish: (input, outputs) =>
      encodeModel({
        irVersion: IR_VERSION,
        producerName: 'tandem',
        producerVersion: String(COMPILER_VERSION),
        opsetImport: [
          { domain: '', version: OPSET },
          { domain: MICROSOFT, version: 1 },
        ],
        graph: {
          name: 'model',
          node: neededNodes(nodes, outputs),
          initializer: [...tensors.values()],
          input: [input],
          output: [...outputs],
        },
      }),
  }
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer.slice(byteOffset, byteOffset + byteLength))
}

/** Where the bytes of an image are taken as they are, the preprocessing has nothing to do. */
function neededNodes(nodes: readonly NodeProto[], outputs: readonly ValueInfoProto[]): NodeProto[] {
  const needed = new Set(outputs.map(({ name }) => name))
  const kept = [...nodes].reverse().filter(({ input, output }) => {
    if (!output.some((name) => needed.has(name))) return false
    for (const name of input) needed.add(name)
    return true
  })
  return kept.reverse()
}

/** A graph of ONNX operators that is built node by node and written as the bytes of a model. */
export interface Graph {
  /** Adds an operator and returns the name of its first output. */
  node(operator: string, inputs: readonly string[], attributes?: Attributes): string
  /** The same for an operator with several outputs. */
  nodes(operator: string, inputs: readonly string[], outputs: number, attributes?: Attributes): string[]
  floats(values: readonly number[], shape?: readonly number[]): string
  integers(values: readonly number[]): string
  encode(inputs: readonly GraphInput[], outputs: readonly string[]): Uint8Array
}

export interface GraphInput {
  readonly name: string
  readonly shape: readonly number[]
}

type Attributes = Readonly<Record<string, number | readonly number[]>>

const FLOAT = 1
const INT64 = 7
const INT = 2
const INTS = 7
const IR_VERSION = 8
const OPSET = 17
// Operators of ONNX Runtime that are not part of ONNX: a product with one side transposed.
const OWN_OPERATORS = new Set(['FusedMatMul'])
const OWN_DOMAIN = 'com.microsoft'

export function newGraph(): Graph {
  const nodes: Field[] = []
  const initializers: Field[] = []
  let names = 0
  const fresh = () => `v${names++}`

  function add(operator: string, inputs: readonly string[], outputs: number, attributes: Attributes = {}) {
    const results = Array.from({ length: outputs }, fresh)
    nodes.push(
      message(1, [
        ...inputs.map((name) => text(1, name)),
        ...results.map((name) => text(2, name)),
        text(4, operator),
        ...Object.entries(attributes).map(([name, value]) => message(5, attribute(name, value))),
        ...(OWN_OPERATORS.has(operator) ? [text(7, OWN_DOMAIN)] : []),
      ]),
    )
    return results
  }

  function constant(type: number, shape: readonly number[], data: Uint8Array): string {
    const name = fresh()
    initializers.push(
      message(5, [...shape.map((size) => whole(1, size)), whole(2, type), text(8, name), bytes(9, data)]),
    )
    return name
  }

  return {
    node: (operator, inputs, attributes) => add(operator, inputs, 1, attributes)[0] ?? '',
    nodes: add,
    floats: (values, shape = []) => constant(FLOAT, shape, new Uint8Array(Float32Array.from(values).buffer)),
    integers: (values) =>
      constant(INT64, [values.length], new Uint8Array(BigInt64Array.from(values, BigInt).buffer)),
    encode: (inputs, outputs) =>
      concat([
        whole(1, IR_VERSION),
        message(7, [
          ...nodes,
          text(2, 'training'),
          ...initializers,
          ...inputs.map(({ name, shape }) => message(11, valueInfo(name, shape))),
          ...outputs.map((name) => message(12, valueInfo(name))),
        ]),
        message(8, [text(1, ''), whole(2, OPSET)]),
        message(8, [text(1, OWN_DOMAIN), whole(2, 1)]),
      ]),
  }
}

function attribute(name: string, value: number | readonly number[]): Field[] {
  if (typeof value === 'number') return [text(1, name), whole(3, value), whole(20, INT)]
  return [text(1, name), ...value.map((each) => whole(8, each)), whole(20, INTS)]
}

function valueInfo(name: string, shape?: readonly number[]): Field[] {
  const sizes = shape && [
    message(
      2,
      shape.map((size) => message(1, [whole(1, size)])),
    ),
  ]
  return [text(1, name), message(2, [message(1, [whole(1, FLOAT), ...(sizes ?? [])])])]
}

/*
 * Protocol buffers: a field is one varint with number and wire type, then a varint (type 0), or a length and that many
 * bytes (type 2).
 */
type Field = Uint8Array

function whole(field: number, value: number): Field {
  return Uint8Array.from([...varint(field * 8), ...varint(value)])
}

function bytes(field: number, content: Uint8Array): Field {
  return concat([Uint8Array.from([...varint(field * 8 + 2), ...varint(content.length)]), content])
}

const text = (field: number, content: string): Field => bytes(field, Buffer.from(content))
const message = (field: number, parts: readonly Field[]): Field => bytes(field, concat(parts))

function varint(value: number): number[] {
  let rest = BigInt.asUintN(64, BigInt(value))
  const result: number[] = []
  while (rest > 127n) {
    result.push(Number(rest & 127n) | 128)
    rest >>= 7n
  }
  return [...result, Number(rest)]
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts))
}

import { writeFileSync } from 'node:fs'

/* ONNX files as exporters write them, by the field numbers that ONNX publishes. */

/** The numbers of the element types. */
export const TYPE = { float32: 1, uint8: 2, int64: 7, float16: 10 } as const

export interface Tensor {
  readonly type: number
  /** Texts are names of variable sizes. */
  readonly shape: readonly (number | string)[]
}

export interface OnnxSketch {
  readonly input: Tensor
  readonly output: Tensor
  /** Further outputs, by their names. */
  readonly more?: Readonly<Record<string, Tensor>>
  /** The last output is `output`; the first input is `input`. */
  readonly nodes: readonly NodeSketch[]
  readonly weights?: Readonly<Record<string, { shape: readonly number[]; values: readonly number[] }>>
  readonly metadata?: Readonly<Record<string, string>>
  /** Initializers of whole numbers, such as shapes. */
  readonly integers?: Readonly<Record<string, readonly number[]>>
}

export type NodeSketch = readonly [
  op: string,
  inputs: readonly string[],
  output: string,
  attributes?: Readonly<Record<string, number | readonly number[]>>,
]

export function writeOnnx(path: string, sketch: OnnxSketch): string {
  const { input, output, nodes, weights = {}, integers = {}, metadata = {}, more = {} } = sketch
  const graph = message(
    ...nodes.map((node) => bytes(1, nodeOf(node))),
    text(2, 'graph'),
    ...Object.entries(weights).map(([name, { shape, values }]) =>
      bytes(5, tensorOf(name, TYPE.float32, shape, new Uint8Array(Float32Array.from(values).buffer))),
    ),
    ...Object.entries(integers).map(([name, values]) =>
      bytes(
        5,
        tensorOf(
          name,
          TYPE.int64,
          [values.length],
          new Uint8Array(BigInt64Array.from(values, BigInt).buffer),
        ),
      ),
    ),
    bytes(11, tensorInfo('input', input)),
    ...Object.entries({ output, ...more }).map(([name, tensor]) => bytes(12, tensorInfo(name, tensor))),
  )
  const model = message(
    number(1, 8),
    text(2, 'a test'),
    bytes(7, graph),
    bytes(8, message(text(1, ''), number(2, 17))),
    ...Object.entries(metadata).map(([key, value]) => bytes(14, message(text(1, key), text(2, value)))),
  )
  writeFileSync(path, model)
  return path
}

function nodeOf([op, inputs, output, attributes = {}]: NodeSketch): Buffer {
  return message(
    ...inputs.map((name) => text(1, name)),
    text(2, output),
    text(3, `node of ${output}`),
    text(4, op),
    ...Object.entries(attributes).map(([name, value]) =>
      bytes(
        5,
        typeof value === 'number'
          ? message(text(1, name), number(3, value), number(20, 2))
          : message(text(1, name), ...value.map((one) => number(8, one)), number(20, 7)),
      ),
    ),
  )
}

function tensorOf(name: string, type: number, shape: readonly number[], raw: Uint8Array): Buffer {
  return message(...shape.map((size) => number(1, size)), number(2, type), text(8, name), bytes(9, raw))
}

function tensorInfo(name: string, { type, shape }: Tensor): Buffer {
  const dims = shape.map((size) => bytes(1, typeof size === 'number' ? number(1, size) : text(2, size)))
  return message(text(1, name), bytes(2, bytes(1, message(number(1, type), bytes(2, message(...dims))))))
}

const message = (...fields: readonly Uint8Array[]): Buffer => Buffer.concat(fields)
const number = (field: number, value: number): Buffer =>
  Buffer.from([...varint(field << 3), ...varint(value)])
const text = (field: number, value: string): Buffer => bytes(field, Buffer.from(value))
export const bytes = (field: number, content: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from([...varint((field << 3) | 2), ...varint(content.length)]), content])

function varint(value: number): number[] {
  // As 64 bits, since a negative number has ten bytes.
  const all: number[] = []
  for (let rest = BigInt.asUintN(64, BigInt(value)); ; rest >>= 7n) {
    const low = Number(rest & 0x7fn)
    if (rest < 0x80n) return [...all, low]
    all.push(low | 0x80)
  }
}

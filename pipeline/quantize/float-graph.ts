import { type FileHandle, open, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { PipelineError } from '../errors.ts'
import {
  type AttributeProto,
  decodeModel,
  EXTERNAL,
  FLOAT,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from '../graph/onnx-schema.ts'

/** A compiled model, whose weights are still in its file. */
export interface FloatGraph {
  readonly nodes: NodeProto[]
  readonly constants: ReadonlyMap<string, TensorProto>
  readonly input: ValueInfoProto
  /** The served output first. */
  readonly outputs: readonly ValueInfoProto[]
  /** The numbers of a constant of floats. */
  read(constant: string): Promise<Float32Array>
  close(): Promise<void>
}

export async function openFloatGraph(modelPath: string): Promise<FloatGraph> {
  const { graph } = decodeModel(await readFile(modelPath))
  const constants = new Map(graph.initializer.map((tensor) => [tensor.name, tensor]))
  const [input] = graph.input
  if (!input) throw new PipelineError('ERR_MODEL_LOAD', `${modelPath} has no input.`)
  // Promises, because several arrays may be read at the same time.
  const files = new Map<string, Promise<FileHandle>>()
  const fileOf = (location: string): Promise<FileHandle> => {
    const file = files.get(location) ?? open(join(dirname(modelPath), location), 'r')
    files.set(location, file)
    return file
  }
  return {
    nodes: graph.node,
    constants,
    input,
    outputs: graph.output,
    async read(name) {
      const tensor = constants.get(name)
      if (tensor?.dataType !== FLOAT)
        throw new PipelineError('ERR_MODEL_LOAD', `${modelPath} has no floats '${name}'.`)
      const numbers = new Float32Array(sizeOf(tensor))
      const bytes = new Uint8Array(numbers.buffer)
      if (tensor.dataLocation === EXTERNAL) {
        const { location, offset } = placeOf(tensor)
        await readAll(await fileOf(location), bytes, offset)
      } else bytes.set((tensor.rawData ?? new Uint8Array()).subarray(0, bytes.length))
      return numbers
    },
    async close() {
      for (const file of files.values()) await (await file).close()
      files.clear()
    },
  }
}

export const sizeOf = ({ dims }: TensorProto): number => dims.reduce((product, size) => product * size, 1)

function placeOf({ externalData = [] }: TensorProto): { location: string; offset: number } {
  const field = (key: string) => externalData.find((entry) => entry.key === key)?.value ?? ''
  return { location: field('location'), offset: Number(field('offset')) }
}

/** One read of a file takes at most 2 GB. */
const READ_BYTES = 2 ** 28

async function readAll(file: FileHandle, into: Uint8Array, offset: number): Promise<void> {
  for (let at = 0; at < into.length; ) {
    const { bytesRead } = await file.read(into, at, Math.min(READ_BYTES, into.length - at), offset + at)
    if (bytesRead === 0) throw new PipelineError('ERR_MODEL_LOAD', 'The compiled weights are cut off.')
    at += bytesRead
  }
}

export function integersOf({ attribute }: NodeProto, name: string): readonly number[] | undefined {
  return attributeOf(attribute, name)?.ints
}

export function integerOf({ attribute }: NodeProto, name: string, otherwise: number): number {
  return attributeOf(attribute, name)?.i ?? otherwise
}

function attributeOf(attributes: readonly AttributeProto[], name: string): AttributeProto | undefined {
  return attributes.find((attribute) => attribute.name === name)
}

/** The name of the layer that a node was compiled from. */
export const layerOf = ({ name }: NodeProto): string => name.slice(name.indexOf(':') + 1)

export const outputOf = ({ output }: NodeProto): string => output[0] ?? ''

/** The nodes that take each tensor. */
export function consumersIn(nodes: readonly NodeProto[]): ReadonlyMap<string, readonly NodeProto[]> {
  const consumers = new Map<string, NodeProto[]>()
  for (const node of nodes) {
    for (const input of new Set(node.input)) {
      const list = consumers.get(input)
      if (list) list.push(node)
      else consumers.set(input, [node])
    }
  }
  return consumers
}

import { decodeMessage } from './decode-message.ts'
import { encodeMessage } from './encode-message.ts'

/* The part of the ONNX format that a compiled model needs: messages and field numbers as ONNX publishes them. */

export const FLOAT = 1
export const UINT8 = 2
export const INT8 = 3
export const INT32 = 6
export const INT64 = 7
export const BOOL = 9
export const FLOAT16 = 10
export const BFLOAT16 = 16

export const EXTERNAL = 1

/** The numbers of the attribute types. */
export const ATTRIBUTE = { float: 1, int: 2, string: 3, floats: 6, ints: 7 } as const

export interface TensorProto {
  name: string
  dims: number[]
  dataType: number
  rawData?: Uint8Array
  externalData?: { key: string; value: string }[]
  dataLocation?: number
}

export interface AttributeProto {
  name: string
  type: number
  f?: number
  i?: number
  s?: Uint8Array
  ints?: number[]
}

export interface NodeProto {
  name: string
  opType: string
  /** Of the operator; missing for ONNX' own. */
  domain?: string
  input: string[]
  output: string[]
  attribute: AttributeProto[]
}

export interface ValueInfoProto {
  name: string
  type: { tensorType: { elemType: number; shape?: { dim: { dimValue?: number; dimParam?: string }[] } } }
}

export interface ModelProto {
  irVersion: number
  producerName: string
  producerVersion: string
  opsetImport: { domain: string; version: number }[]
  graph: {
    name: string
    node: NodeProto[]
    initializer: TensorProto[]
    input: ValueInfoProto[]
    output: ValueInfoProto[]
  }
}

const one = (type: string, id: number) => ({ type, id })
const many = (type: string, id: number) => ({ rule: 'repeated', type, id })

const MESSAGES = {
  ModelProto: {
    fields: {
      irVersion: one('int64', 1),
      producerName: one('string', 2),
      producerVersion: one('string', 3),
      graph: one('GraphProto', 7),
      opsetImport: many('OperatorSetIdProto', 8),
    },
  },
  OperatorSetIdProto: { fields: { domain: one('string', 1), version: one('int64', 2) } },
  GraphProto: {
    fields: {
      node: many('NodeProto', 1),
      name: one('string', 2),
      initializer: many('TensorProto', 5),
      input: many('ValueInfoProto', 11),
      output: many('ValueInfoProto', 12),
    },
  },
  NodeProto: {
    fields: {
      input: many('string', 1),
      output: many('string', 2),
      name: one('string', 3),
      opType: one('string', 4),
      attribute: many('AttributeProto', 5),
      domain: one('string', 7),
    },
  },
  AttributeProto: {
    fields: {
      name: one('string', 1),
      f: one('float', 2),
      i: one('int64', 3),
      s: one('bytes', 4),
      ints: many('int64', 8),
      type: one('int32', 20),
    },
  },
  TensorProto: {
    fields: {
      dims: many('int64', 1),
      dataType: one('int32', 2),
      name: one('string', 8),
      rawData: one('bytes', 9),
      externalData: many('StringStringEntryProto', 13),
      dataLocation: one('int32', 14),
    },
  },
  StringStringEntryProto: { fields: { key: one('string', 1), value: one('string', 2) } },
  ValueInfoProto: { fields: { name: one('string', 1), type: one('TypeProto', 2) } },
  TypeProto: { fields: { tensorType: one('TensorTypeProto', 1) } },
  TensorTypeProto: { fields: { elemType: one('int32', 1), shape: one('TensorShapeProto', 2) } },
  TensorShapeProto: { fields: { dim: many('DimensionProto', 1) } },
  DimensionProto: { fields: { dimValue: one('int64', 1), dimParam: one('string', 2) } },
}

export function encodeModel(content: ModelProto): Uint8Array {
  return encodeMessage(MESSAGES, 'ModelProto', content)
}

/** Of a model that Tandem has compiled: other models may have fields that are missing here. */
export function decodeModel(bytes: Uint8Array): ModelProto {
  return decodeMessage(MESSAGES, 'ModelProto', bytes) as unknown as ModelProto
}

/** The number of the field in a model, and the kind of a field with bytes. */
const METADATA_TAG = (14 << 3) | 2
const KEY_TAG = (1 << 3) | 2
const VALUE_TAG = (2 << 3) | 2

/** One entry of an ONNX model's metadata. Appended to the bytes of a model, the entry is part of the model. */
export function metadataField(key: string, value: string): Uint8Array {
  return field(
    METADATA_TAG,
    Buffer.concat([field(KEY_TAG, Buffer.from(key)), field(VALUE_TAG, Buffer.from(value))]),
  )
}

function field(tag: number, content: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from([tag, ...varint(content.length)]), content])
}

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(Math.floor(value / 0x80))]
}

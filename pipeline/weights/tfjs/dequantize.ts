import { numberOfHalf } from '../../half.ts'
import type { Coding } from './tfjs-manifest.ts'

/** The numbers in the bytes of a TF.js array, computed in double precision and rounded once. */
export function dequantize(bytes: Uint8Array, coding: Coding): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (coding.kind === 'float32') return fill(bytes.length / 4, (i) => view.getFloat32(4 * i, true))
  if (coding.kind === 'int32') return fill(bytes.length / 4, (i) => view.getInt32(4 * i, true))
  if (coding.kind === 'bool') return fill(bytes.length, (i) => view.getUint8(i))
  if (coding.kind === 'float16')
    return fill(bytes.length / 2, (i) => numberOfHalf(view.getUint16(2 * i, true)))
  const { kind, scale, min } = coding
  if (kind === 'uint8') return fill(bytes.length, (i) => view.getUint8(i) * scale + min)
  return fill(bytes.length / 2, (i) => view.getUint16(2 * i, true) * scale + min)
}

function fill(length: number, value: (i: number) => number): Float32Array {
  const values = new Float32Array(length)
  for (let i = 0; i < length; i++) values[i] = value(i)
  return values
}

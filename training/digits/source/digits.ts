import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { CLASSES, INPUT_SIZE } from './network.ts'

/** All images in one array, one byte per pixel, white ink on black; and one label per image. */
export interface Digits {
  readonly count: number
  readonly pixels: Uint8Array
  readonly labels: Uint8Array
}

export const PIXELS = INPUT_SIZE * INPUT_SIZE

const IMAGES_FILE = 'digits-images-idx3-ubyte.gz'
const LABELS_FILE = 'digits-labels-idx1-ubyte.gz'
const IMAGES_MAGIC = 2051
const LABELS_MAGIC = 2049

export function readDigits(folder: string): Digits {
  for (const file of [IMAGES_FILE, LABELS_FILE]) {
    if (!existsSync(join(folder, file)))
      throw new Error(`There is no ${file} in ${folder}; name the right folder with --data.`)
  }
  const images = gunzipSync(readFileSync(join(folder, IMAGES_FILE)))
  const labels = gunzipSync(readFileSync(join(folder, LABELS_FILE)))
  const [magic, count, height, width] = [0, 4, 8, 12].map((at) => images.readUInt32BE(at))
  if (magic !== IMAGES_MAGIC || height !== INPUT_SIZE || width !== INPUT_SIZE || count === undefined) {
    throw new Error(
      `${IMAGES_FILE} holds no images of ${INPUT_SIZE} × ${INPUT_SIZE} pixels in the IDX format.`,
    )
  }
  if (labels.readUInt32BE(0) !== LABELS_MAGIC || labels.readUInt32BE(4) !== count) {
    throw new Error(`${LABELS_FILE} does not hold ${count} labels in the IDX format.`)
  }
  return { count, pixels: images.subarray(16, 16 + count * PIXELS), labels: labels.subarray(8, 8 + count) }
}

/** Takes every eighth image for validation, after sorting by digit (then by place in the file): an eighth of each digit. */
export function split({ labels }: Digits): { training: Int32Array; validation: Int32Array } {
  const sorted = Array.from({ length: CLASSES }, (_, digit) =>
    [...labels.keys()].filter((index) => labels[index] === digit),
  ).flat()
  const isForValidation = (_: number, at: number) => at % 8 === 0
  return {
    training: Int32Array.from(sorted.filter((index, at) => !isForValidation(index, at))),
    validation: Int32Array.from(sorted.filter(isForValidation)),
  }
}

import { type Field, fieldsFormat } from './fields.ts'

const FIELDS: readonly Field[] = [
  [2, 4],
  [10, 4],
  [14, 4],
  [18, 4],
  [18, 2],
  [20, 2],
  [22, 4],
  [24, 2],
  [26, 2],
  [28, 2],
  [30, 4],
  [34, 4],
  [46, 4],
  [50, 4],
  [54, 4],
  [58, 4],
  [62, 4],
]

/** BMP: numbers at fixed places. */
export const bmp = fieldsFormat(
  'BMP',
  (file) => file.toString('latin1', 0, 2) === 'BM',
  () => FIELDS,
)

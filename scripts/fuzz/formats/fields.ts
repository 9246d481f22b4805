import { putNumber } from '../mutate-bytes.ts'
import type { Format } from './format.ts'

export type Field = readonly [at: number, size: number]

/** A format whose headers are numbers at places that one can find. */
export function fieldsFormat(
  name: string,
  matches: (file: Buffer) => boolean,
  fields: (file: Buffer) => readonly Field[],
): Format {
  return {
    name,
    matches,
    mutate(file, random) {
      const there = fields(file).filter(([at, size]) => at + size <= file.length)
      if (there.length === 0) return file
      const [at, size] = random.pick(there)
      return putNumber(Buffer.from(file), at, size, random)
    },
  }
}

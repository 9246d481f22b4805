import { mutateBytes, putNumber } from '../mutate-bytes.ts'
import type { Random } from '../random.ts'
import { type Field, fieldsFormat } from './fields.ts'
import type { Format } from './format.ts'
import { json } from './json.ts'

const SIGNATURE = Buffer.from('89484446', 'hex')
/** The blocks whose headers say where all other things are. */
const BLOCKS = ['TREE', 'HEAP', 'SNOD', 'GCOL', 'OHDR', 'OCHK', 'FRHP', 'FHDB', 'BTHD', 'FADB'].map((name) =>
  Buffer.from(name),
)
const HEADER_BYTES = 96
const BLOCK_BYTES = 64
const CONFIGS = ['{"class_name"', '{"module"', '{"backend"', '{"name"'].map((text) => Buffer.from(text))

const fields = fieldsFormat('HDF5 headers', isHdf5, (file) => [
  ...fieldsAt(0, HEADER_BYTES),
  ...BLOCKS.flatMap((block) => placesOf(file, block).flatMap((at) => fieldsAt(at + 4, BLOCK_BYTES))),
])

/** HDF5: the numbers in the headers of blocks, messages of objects, and JSON in attributes, whose length stays. */
export const hdf5: Format = {
  name: 'HDF5',
  matches: isHdf5,
  mutate(file, random, donor) {
    if (random.chance(0.4)) return fields.mutate(file, random, donor)
    if (random.chance(0.5)) return mutateMessage(Buffer.from(file), random)
    const starts = CONFIGS.flatMap((config) => placesOf(file, config))
    return starts.length === 0
      ? mutateBytes(file, random, donor)
      : mutateText(file, random.pick(starts), random)
  },
}

/**
 * An object's messages begin at multiples of 8 with a type up to 23 and a size that is a multiple of 8: shapes, types, layouts,
 * filters, links, attributes.
 */
function mutateMessage(file: Buffer, random: Random): Buffer {
  const messages: number[] = []
  for (let at = HEADER_BYTES; at + 8 <= file.length && messages.length < 5000; at += 8) {
    const [type, size] = [file.readUInt16LE(at), file.readUInt16LE(at + 2)]
    if (type > 0 && type < 24 && size > 0 && size % 8 === 0 && size <= 512) messages.push(at)
  }
  if (messages.length === 0) return file
  const size = random.pick([1, 2, 4, 8])
  const at = random.pick(messages) + random.below(48)
  return at + size > file.length ? file : putNumber(file, at, size, random)
}

function mutateText(file: Buffer, start: number, random: Random): Buffer {
  const zero = file.indexOf(0, start)
  const end = zero < 0 ? file.length : zero
  const text = json.mutate(file.subarray(start, end), random, file.subarray(start, end))
  if (text.length > end - start) return file
  const padded = Buffer.concat([text, Buffer.alloc(end - start - text.length, ' ')])
  return Buffer.concat([file.subarray(0, start), padded, file.subarray(end)])
}

function fieldsAt(start: number, length: number): Field[] {
  return Array.from({ length }, (_, i): Field => [start + i, [1, 2, 4, 8][i % 4] ?? 1])
}

function isHdf5(file: Buffer): boolean {
  return file.subarray(0, 4).equals(SIGNATURE)
}

function placesOf(file: Buffer, text: Buffer): number[] {
  const places: number[] = []
  for (let at = file.indexOf(text); at >= 0; at = file.indexOf(text, at + 1)) places.push(at)
  return places
}

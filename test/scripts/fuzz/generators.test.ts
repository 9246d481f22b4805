import { crc32 } from 'node:zlib'
import { expect } from 'chai'
import { avif } from '../../../scripts/fuzz/formats/avif.ts'
import { MAX_INPUT_BYTES, mutate } from '../../../scripts/fuzz/formats/format.ts'
import { gif } from '../../../scripts/fuzz/formats/gif.ts'
import { http } from '../../../scripts/fuzz/formats/http.ts'
import { jpeg } from '../../../scripts/fuzz/formats/jpeg.ts'
import { json } from '../../../scripts/fuzz/formats/json.ts'
import type { PartsFormat } from '../../../scripts/fuzz/formats/parts.ts'
import { png } from '../../../scripts/fuzz/formats/png.ts'
import { protobuf } from '../../../scripts/fuzz/formats/protobuf.ts'
import { tiff } from '../../../scripts/fuzz/formats/tiff.ts'
import { webp } from '../../../scripts/fuzz/formats/webp.ts'
import { zip } from '../../../scripts/fuzz/formats/zip.ts'
import { fuzz } from '../../../scripts/fuzz/fuzz.ts'
import { IMAGE_FORMATS, imageSeeds } from '../../../scripts/fuzz/kinds/images.ts'
import { WEIGHTS_FORMATS, weightsSeeds } from '../../../scripts/fuzz/kinds/weights.ts'
import { Random, randomOf } from '../../../scripts/fuzz/random.ts'
import { shortPlan } from '../../support/fuzz.ts'
import { pixelsOf } from '../../support/image-files.ts'
import { zip as zipped } from '../../support/write-zip.ts'

const ALIKE: readonly PartsFormat[] = [png, jpeg, webp, gif, avif]
const TIMES = 50

describe('The generators of inputs', () => {
  let files: Buffer[]
  before(async () => {
    files = await imageSeeds()
  })

  for (const format of ALIKE) {
    it(`take a ${format.name} apart and put the same bytes together again`, () => {
      const own = files.filter((file) => format.matches(file))
      expect(own).to.have.length.above(0)
      for (const file of own) {
        const parts = format.split(file)
        expect(parts).to.have.length.above(format === webp ? 0 : 2)
        expect(format.join(parts).equals(file)).to.equal(true)
      }
    })
  }

  it('move the directory of a TIFF, and keep the picture', async () => {
    for (const file of files.filter((file) => tiff.matches(file))) {
      const parts = tiff.split(file)
      expect(parts).to.have.length.above(8)
      expect(await pixelsOf(tiff.join(parts), 8, 8)).to.deep.equal(await pixelsOf(file, 8, 8))
    }
  })

  it('leave JSON alone that is nested too deep to be written again', () => {
    const deep = Buffer.from('['.repeat(20_000) + ']'.repeat(20_000))
    for (let seed = 0; seed < TIMES; seed++) {
      const changed = json.mutate(deep, new Random(seed), deep)
      // Near the top, the change may have removed what is deep.
      if (changed.length > 1000) expect(changed.equals(deep)).to.equal(true)
    }
  })

  it('take a protobuf message apart, as deep as it is, and put the same bytes together again', async () => {
    const onnx = (await weightsSeeds())
      .filter((file) => protobuf.matches(file))
      .sort((a, b) => b.length - a.length)[0]
    const parts = protobuf.split(onnx ?? Buffer.alloc(0))
    const graph = parts.find(({ name }) => name === '7:2')
    expect(graph?.parts).to.have.length.above(3)
    expect(protobuf.join(parts).equals(onnx ?? Buffer.alloc(0))).to.equal(true)
  })

  it('write the right checksums into every chunk of a changed PNG', () => {
    const [file = Buffer.alloc(0)] = files.filter((file) => png.matches(file))
    const wrong: string[] = []
    let right = 0
    for (let i = 0; i < TIMES; i++) {
      const changed = png.mutate(file, randomOf(1, i), file)
      for (const { name, data } of png.split(changed)) {
        // Bytes that lost their name may look like a chunk, but like one without a proper name.
        if (!/^[A-Za-z]{4}$/.test(name)) continue
        const sum = Buffer.alloc(4)
        sum.writeUInt32BE(crc32(data, crc32(Buffer.from(name))))
        const isRight = changed.includes(Buffer.concat([data.subarray(-8), sum]))
        if (!isRight) wrong.push(`${i}: ${name}`)
        else right++
      }
    }
    expect(wrong).to.deep.equal([])
    expect(right).to.be.above(TIMES)
  })

  it('write the right checksums into every entry of a changed ZIP', () => {
    const content = Buffer.from('{"class_name":"Functional"}')
    const file = zipped([{ name: 'config.json', content }], 'stored')
    const changed = Array.from({ length: TIMES }, (_, i) => zip.mutate(file, randomOf(2, i), file))
    const right = changed.filter((one) => {
      if (one.length < file.length / 2) return false
      const size = one.readUInt32LE(22)
      const start = 30 + one.readUInt16LE(26)
      return one.readUInt16LE(8) === 0 && one.readUInt32LE(14) === crc32(one.subarray(start, start + size))
    })
    expect(right.filter((one) => !one.equals(file))).to.have.length.above(TIMES / 5)
  })

  it('write the right length into the head of a changed request', () => {
    const body = '{"url":"data:,x"}'
    const file = Buffer.from(`POST /vgg HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
    let other = 0
    for (let i = 0; i < TIMES; i++) {
      const text = http.mutate(file, randomOf(3, i), file).toString('latin1')
      const [head = '', ...rest] = text.split('\r\n\r\n')
      const length = Number(/^Content-Length: (\d+)$/m.exec(head)?.[1] ?? Number.NaN)
      if (Number.isNaN(length)) continue
      expect(rest.join('\r\n\r\n'), text).to.have.length(length)
      if (length !== body.length) other++
    }
    expect(other).to.be.above(3)
  })

  it('make inputs of a bounded size from any input', () => {
    const large = Buffer.alloc(MAX_INPUT_BYTES, '{"a":[1]}')
    for (let i = 0; i < TIMES; i++) {
      const file = files[i % files.length] ?? large
      expect(mutate(file, IMAGE_FORMATS, randomOf(4, i), large).length).to.be.at.most(MAX_INPUT_BYTES)
    }
    for (const empty of [Buffer.alloc(0), Buffer.of(0x89), Buffer.from('PK\x03\x04'), Buffer.from('{')])
      for (let i = 0; i < TIMES; i++)
        mutate(empty, [...IMAGE_FORMATS, ...WEIGHTS_FORMATS], randomOf(5, i), empty)
  })

  it('make the same inputs from the same seed, and others from another one', async () => {
    const run = async (seed: number) => {
      const target = {
        examine: async (inputs: readonly Buffer[]) =>
          inputs.map(({ length }) => ({ outcome: String(length % 50), ms: 0, peakBytes: 0 })),
        close: async () => undefined,
      }
      const parts = { target, seeds: files, kind: 'images', formats: IMAGE_FORMATS, maxInputs: 200 }
      return (await fuzz({ ...shortPlan(), ...parts, seed })).digest
    }
    const [first, second, other] = [await run(7), await run(7), await run(8)]
    expect(first).to.equal(second).and.not.to.equal(other)
  })

  it('use numbers that are spread evenly', () => {
    const random = new Random(1)
    const counts = new Map<number, number>()
    for (let i = 0; i < 10_000; i++) {
      const n = random.below(10)
      counts.set(n, (counts.get(n) ?? 0) + 1)
    }
    expect([...counts.keys()].sort()).to.deep.equal([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    for (const count of counts.values()) expect(count).to.be.within(800, 1200)
    for (const n of [0, 1]) expect(random.below(n)).to.equal(0)
    const means = Array.from({ length: 1000 }, (_, i) => randomOf(i, 0).next())
    expect(means.reduce((sum, one) => sum + one, 0) / 1000).to.be.within(0.45, 0.55)
  })
})

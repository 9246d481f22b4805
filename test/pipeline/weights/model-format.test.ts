import { closeSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { peekModel } from '../../../pipeline/weights/open-model.ts'
import { openWindow } from '../../../pipeline/weights/source/file-window.ts'
import { detectContainer } from '../../../pipeline/weights/source/model-format.ts'
import { codeOf } from '../../support/broker.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

// ModelProto: ir_version 8, producer_name "t", graph of three bytes, one opset.
const ONNX = Buffer.from([0x08, 8, 0x12, 1, 0x74, 0x3a, 3, 1, 2, 3, 0x42, 2, 0x10, 17])

const CONTENTS: Record<string, Uint8Array | string> = {
  hdf5: Buffer.from('\x89HDF\r\n\x1a\n and more', 'latin1'),
  zip: 'PK\x03\x04 and more',
  json: '\n  {"modelTopology": {}}',
  onnx: ONNX,
}

describe('the format of a model', () => {
  const folder = temporaryFolder()
  // Whatever the name says.
  const path = join(folder, 'model.keras')

  function detect(content: Uint8Array | string): string {
    writeFileSync(path, content)
    const window = openWindow(path, 'model.keras')
    try {
      return detectContainer(window)
    } finally {
      closeSync(window.fd)
    }
  }

  for (const [format, content] of Object.entries(CONTENTS)) {
    it(`${format} is detected from the content`, () => expect(detect(content)).to.equal(format))
  }

  for (const length of [1, 5, ONNX.length - 1]) {
    it(`is not ONNX for only the first ${length} bytes`, () => {
      expect(() => detect(ONNX.subarray(0, length))).to.throw(/none of the formats/)
    })
  }

  it('is not ONNX with extra bytes at the end', () => {
    expect(() => detect(Buffer.concat([ONNX, Buffer.from([0])]))).to.throw(/none of the formats/)
  })

  it('is the only fact that is returned for an ONNX file', async () => {
    writeFileSync(path, ONNX)
    expect(await peekModel(path)).to.deep.equal({ format: 'onnx' })
  })

  it('is an error if the path is missing or not a file', async () => {
    expect(await codeOf(peekModel(join(folder, 'nothing.h5')))).to.equal('ERR_MODEL_LOAD')
    expect(await codeOf(peekModel(folder))).to.equal('ERR_MODEL_LOAD')
  })
})

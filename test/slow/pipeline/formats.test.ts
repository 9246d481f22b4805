import { FORMAT_FILES, mustHoldFormula } from '../../support/compare-formats.ts'

describe('weights of every network in every format', () => {
  for (const file of FORMAT_FILES) {
    it(`${file.model}/${file.file} holds exactly the numbers of the formula`, () => mustHoldFormula(file))
  }
})

import { expect } from 'chai'
import { parseJson } from '../../../pipeline/weights/source/parse-json.ts'

describe('the JSON of a model', () => {
  const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`

  it('is refused where it is nested so deep that no program could walk through it', () => {
    expect(parseJson(nested(200), 'It')).to.have.length(1)
    for (const text of [nested(201), `{"a": ${'{"b":'.repeat(100_000)}1${'}'.repeat(100_000)}}`]) {
      expect(() => parseJson(text, 'It'))
        .to.throw(/nested more than 200 deep/)
        .with.property('code', 'ERR_MODEL_LOAD')
    }
  })

  it('may have any brackets and quotes in its texts', () => {
    const value = { '[[[': `"${'['.repeat(300)}\\`, b: ['{'.repeat(300), '\\"{'] }
    expect(parseJson(Buffer.from(JSON.stringify(value)), 'It')).to.deep.equal(value)
  })

  it('is refused where a text does not end', () => {
    expect(() => parseJson('{"a', 'It'))
      .to.throw('It is not valid JSON.')
      .with.property('code', 'ERR_MODEL_LOAD')
  })
})

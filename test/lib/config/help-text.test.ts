import { expect } from 'chai'
import { helpText } from '../../../lib/config/help-text.ts'
import { SETTINGS } from '../../../lib/config/settings.ts'

describe('helpText', () => {
  it('lists every setting once, in groups, with its values and its default', () => {
    const text = helpText(SETTINGS)
    const flags = [...text.matchAll(/^ {2}--([a-z-]+)/gm)].map(([, flag = '']) => flag)
    const expected = Object.values(SETTINGS).map(({ env }) => env.toLowerCase().replaceAll('_', '-'))
    expect(flags).to.have.members(['help', 'version', ...expected])
    expect(flags).to.have.length(expected.length + 2)
    const headings = [...text.matchAll(/^([A-Z]\w+)$/gm)].map(([, heading]) => heading)
    expect(headings).to.deep.equal(['Serve', 'Models', 'Limits', 'Access', 'Storage', 'Examples'])
    expect(text.replace(/\s+/g, ' ')).to.contain(
      '--port port to listen on; 0 takes any free port (0 to 65535; default 2017)',
    )
    expect(text.replace(/\s+/g, ' ')).to.contain(
      '--vgg-model model behind /vgg; when unset, vgg16 if served, else the first model for photographs (a name from MODELS)',
    )
  })

  it('is folded to the width of the terminal, or to 80 columns', () => {
    const widest = (columns?: number) =>
      Math.max(
        ...helpText(SETTINGS, columns)
          .split('\n')
          .map((line) => line.length),
      )
    expect(widest()).to.be.lessThanOrEqual(80).and.greaterThan(70)
    expect(widest(120)).to.be.lessThanOrEqual(120).and.greaterThan(100)
    // Below this, the terminal breaks the lines.
    expect(widest(20)).to.equal(widest(60)).and.to.be.lessThanOrEqual(60)
  })

  it('ends with examples', () => {
    expect(helpText(SETTINGS)).to.match(/\nExamples\n(?: {2}.+\n)+$/)
  })
})

import { expect } from 'chai'
import { ConfigError } from '../../../lib/config/config.ts'
import { type LibrarySettings, libraryConfig, type WantedModel } from '../../../lib/library/library-config.ts'
import type { ModelSettings } from '../../../lib/library/model-settings.ts'
import type { ModelSettings as PipelineSettings } from '../../../pipeline/models/model-settings.ts'

describe('The settings of the library', () => {
  const wrong = (models: unknown, settings: unknown = {}): string => {
    try {
      libraryConfig(models as readonly WantedModel[], settings as LibrarySettings)
    } catch (error) {
      expect(error).to.be.instanceOf(ConfigError).and.to.have.property('code', 'ERR_CONFIG')
      return String(error)
    }
    throw new Error('these settings are accepted')
  }

  it('are read by the readers of the service, from values or from their texts', () => {
    const settings = { maxBatch: 4, maxBodyBytes: '3mb', allowHosts: ['10.0.0.0/8', '.example.org'] } as const
    const config = libraryConfig(['digits'], settings)
    expect(config.maxBatch).to.equal(4)
    expect(config.maxBodyBytes).to.equal(3 * 2 ** 20)
    expect(config.allowHosts).to.deep.equal(['10.0.0.0/8', '.example.org'])
    expect(config.maxQueue).to.equal(256)
  })

  it('have models as in MODELS, or as objects with a path and settings', () => {
    const labels = ['cat', 'dog']
    const { models } = libraryConfig(
      [
        'digits',
        'mine=./a,b.keras',
        { name: 'pets', path: new URL('file:///srv/pets.keras'), labels, preprocessing: 'tf' },
      ],
      {},
    )
    expect(models).to.deep.equal([
      { name: 'digits' },
      { name: 'mine', path: './a,b.keras' },
      { name: 'pets', path: '/srv/pets.keras', settings: { labels, preprocessing: 'tf' } },
    ])
    // The settings of a Config are frozen; the list of the caller stays as it is.
    labels.push('bird')
    expect(models[2]?.settings).to.deep.equal({ labels: ['cat', 'dog'], preprocessing: 'tf' })
  })

  const refused: Record<string, [models: unknown, settings: unknown, sentence: RegExp]> = {
    'a value out of its bounds': [['digits'], { maxQueue: 0 }, /maxQueue must be a whole number .* is "0"/],
    'a value of another type': [['digits'], { maxQueue: {} }, /maxQueue must be a whole number/],
    'a name with a typo': [['digits'], { maxQueu: 1 }, /no setting "maxQueu"; did you mean "maxQueue"/],
    'a setting of the server': [['digits'], { port: 80 }, /"port" has no effect without a server/],
    'no models': [[], {}, /at least one model/],
    'models that are no list': ['digits', {}, /at least one model/],
    'two models of one name': [['digits', { name: 'digits' }], {}, /unique/],
    'a name that is reserved': [[{ name: 'api' }], {}, /models must be/],
    'a model without a name': [[{ path: './x' }], {}, /an object with a "name"/],
    'an empty path': [['pets='], {}, /path of the model "pets="/],
    'an address as a path': [[{ name: 'pets', path: new URL('https://example.org/') }], {}, /file: URL/],
    'settings of a model that are functions': [[{ name: 'pets', top: () => 1 }], {}, /cannot be sent/],
  }
  for (const [what, [models, settings, sentence]] of Object.entries(refused)) {
    it(`refuse ${what}`, () => expect(wrong(models, settings)).to.match(sentence))
  }

  it('do not show a secret', () => {
    expect(wrong(['digits'], { apiKeys: ['hunter2'] })).not.to.contain('hunter2')
  })

  it('know every setting of a model that a settings file may have, and no other', () => {
    type Names = Exclude<keyof PipelineSettings, 'labelsFile'>
    const areSame: [Names] extends [keyof ModelSettings] ? true : false = true
    const areNoMore: [keyof ModelSettings] extends [Names] ? true : false = true
    // The types of the values, too.
    const fits = (settings: Omit<ModelSettings, 'labels'>): PipelineSettings => settings
    expect([areSame, areNoMore, fits({})]).to.deep.equal([true, true, {}])
  })
})

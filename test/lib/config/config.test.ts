import { expect } from 'chai'
import { ConfigError, readConfig } from '../../../lib/config/config.ts'

function messageOf(argv: string[], env: Record<string, string> = {}): string {
  try {
    readConfig(argv, env)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    expect(error.code).to.equal('ERR_CONFIG')
    return error.message
  }
  throw new Error('nothing was thrown')
}

describe('readConfig', () => {
  it('has a default for everything', () => {
    const config = readConfig([], {})
    expect(config).to.include({
      host: '127.0.0.1',
      port: 2017,
      maxQueueBytes: 256 * 2 ** 20,
      logLevel: 'info',
    })
    expect(config.models).to.deep.equal([{ name: 'vgg16' }, { name: 'digits' }, { name: 'mobilenet_v2' }])
  })

  it('takes a flag before the environment, and the environment before the default', () => {
    expect(readConfig([], { MAX_QUEUE: '5' }).maxQueue).to.equal(5)
    expect(readConfig(['--max-queue', '6'], { MAX_QUEUE: '5' }).maxQueue).to.equal(6)
    expect(readConfig(['--max-queue=7'], { MAX_QUEUE: '5' }).maxQueue).to.equal(7)
  })

  it('takes an empty variable as unset', () => {
    expect(readConfig([], { PORT: '' }).port).to.equal(2017)
  })

  it('reads sizes in bytes, kb, mb and gb', () => {
    const sizes = ['1000', '64kb', '64MB', '1gb'].map(
      (size) => readConfig([`--max-body-bytes=${size}`], {}).maxBodyBytes,
    )
    expect(sizes).to.deep.equal([1000, 64 * 2 ** 10, 64 * 2 ** 20, 2 ** 30])
  })

  it('reads models with and without a path', () => {
    const { models } = readConfig(['--models', 'vgg16, mine=./a=b.onnx'], {})
    expect(models).to.deep.equal([{ name: 'vgg16' }, { name: 'mine', path: './a=b.onnx' }])
  })

  it('reads the word auto in place of a number where the service can find out the number', () => {
    expect(readConfig([], {}).spareChildren).to.equal('auto')
    expect(readConfig(['--spare-children=2'], {}).spareChildren).to.equal(2)
    expect(messageOf(['--spare-children=some'])).to.equal(
      'SPARE_CHILDREN must be auto, or a whole number from 0 to 16, but --spare-children says "some".',
    )
  })

  it('freezes the settings deeply', () => {
    const config = readConfig(['--models', 'vgg16'], {})
    for (const part of [config, config.models, config.models[0]]) expect(Object.isFrozen(part)).to.equal(true)
  })

  it('names the expected value, the wrong value, and its source', () => {
    const sentence = 'PORT must be a whole number from 0 to 65535, but'
    expect(messageOf(['--port', 'abc'])).to.equal(`${sentence} --port says "abc".`)
    expect(messageOf([], { PORT: '65536' })).to.equal(`${sentence} the environment says "65536".`)
  })

  it('refuses numbers out of bounds, half numbers and sizes without a number', () => {
    for (const argv of [['--workers=0'], ['--workers=1.5'], ['--max-body-bytes=mb'], ['--log-level=loud']]) {
      expect(messageOf(argv), argv.join()).to.match(/^[A-Z_]+ must be /)
    }
  })

  it('refuses model names that are reserved, repeated, or invalid', () => {
    for (const list of ['healthz', 'a,a', 'a,,b', 'A', '../x', 'a=', '=x']) {
      expect(messageOf(['--models', list]), list).to.match(/^MODELS must be /)
    }
  })

  it('suggests the nearest flag for one that it does not know', () => {
    expect(messageOf(['--max-quue=2'])).to.equal('There is no flag --max-quue; did you mean --max-queue?')
    expect(messageOf(['--rabbit'])).to.equal('There is no flag --rabbit; --help lists them all.')
  })

  it('does not take the next flag for a value', () => {
    expect(messageOf(['--host', '--port', '80'])).to.equal('--host must have a value, but has none.')
  })

  it('refuses an argument that is no flag', () => {
    expect(messageOf(['vgg16'])).to.equal(
      'Arguments must be flags such as --port 8080, but "vgg16" is not a flag.',
    )
  })

  it('reads lists of hosts, ports, origins and keys', () => {
    const config = readConfig(
      ['--allow-hosts=Images.Local, .example.org,10.0.0.0/8,fd00::/8,[::1]', '--url-ports=80,8080'],
      {
        CORS_ORIGINS: 'https://a.example,http://localhost:3000',
        API_KEYS: 'a-long-enough-key-1,a-long-enough-key-2',
      },
    )
    expect(config.allowHosts).to.deep.equal(['images.local', '.example.org', '10.0.0.0/8', 'fd00::/8', '::1'])
    expect(config.urlPorts).to.deep.equal([80, 8080])
    expect(config.corsOrigins).to.deep.equal(['https://a.example', 'http://localhost:3000'])
    expect(config.apiKeys).to.have.length(2)
  })

  it('refuses a list for one wrong entry', () => {
    const wrong = [
      '--allow-hosts=10.0.0.0/33',
      '--allow-hosts=1.2.3',
      '--allow-hosts=a b',
      '--allow-hosts=a,,b',
      '--deny-hosts=http://a',
      '--url-ports=80,0',
      '--url-ports=65536',
      '--cors-origins=example.com',
      '--cors-origins=https://example.com/',
      '--infer-threshold=1.5',
      '--infer-threshold=-1',
      '--keep-feedback-images=yes',
      '--trust-proxy=17',
    ]
    for (const flag of wrong) expect(messageOf([flag]), flag).to.match(/^[A-Z_]+ must be /)
  })

  it('never shows a key, not even one that is refused', () => {
    expect(messageOf([], { API_KEYS: 'too-short-key' }))
      .to.match(/^API_KEYS must be .* but the environment says something else\.$/)
      .and.not.contain('too-short-key')
  })

  it('refuses a dialect setting whose model is not served', () => {
    expect(readConfig(['--models=vgg16,pets=p.h5', '--api-model=pets'], {}).apiModel).to.equal('pets')
    expect(messageOf(['--models=vgg16', '--api-model=pets'])).to.equal(
      'API_MODEL must be one of the models that are served (vgg16), but is "pets".',
    )
  })

  it('requires MODELS when PIPELINE is set', () => {
    expect(messageOf(['--pipeline', './mine.ts'])).to.match(/^MODELS must name/)
  })
})

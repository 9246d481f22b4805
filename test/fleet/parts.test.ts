import { expect } from 'chai'
import { BrokerError } from '../../broker/errors.ts'
import { connectFailure } from '../../fleet/connect-failure.ts'
import { HostList } from '../../fleet/host-list.ts'
import { KnownAnswers } from '../../fleet/known-answers.ts'
import { readFleetOptions } from '../../fleet/options.ts'
import {
  type Announcement,
  decodeReply,
  decodeValue,
  encodeValue,
  readAnnouncement,
  readNotice,
} from '../../fleet/wire.ts'

const codeOf = (work: () => unknown) => {
  try {
    work()
  } catch (error) {
    return (error as BrokerError).code
  }
  return 'no error'
}

describe('The last answers of a model host', () => {
  it('are a thousand at most, and 32 MB: the oldest are removed', () => {
    const answers = new KnownAnswers<number>()
    for (let i = 0; i <= 1000; i++) answers.add(String(i), i, 10)
    expect([answers.size, answers.get('0'), answers.get('1')]).to.deep.equal([1000, undefined, 1])
    answers.add('large', -1, 31 * 2 ** 20)
    answers.add('larger', -2, 2 ** 20 + 1)
    expect([answers.get('large'), answers.get('larger')]).to.deep.equal([undefined, -2])
  })
})

const announcement = {
  name: 'host',
  boot: 'abc',
  leaving: false,
  pipelines: [
    {
      name: 'model',
      state: 'ready',
      infoId: '',
      progress: null,
      error: null,
      children: 1,
      capacity: 16,
      inFlight: 0,
      rate: 0,
      restarts: 0,
      redelivered: 0,
    },
  ],
}

function hostList(asked: string[]) {
  const hosts = new HostList({
    changed: () => undefined,
    came: () => undefined,
    leaving: () => undefined,
    lost: () => undefined,
    quiet: () => undefined,
    unknownInfo: () => asked.push('info'),
  })
  const [pipeline] = announcement.pipelines
  const say = (boot: number, infoId: string, more: object = {}, leaving = false) =>
    hosts.heard({
      ...announcement,
      leaving,
      boot: String(boot),
      pipelines: [{ ...pipeline, infoId, ...more }],
    } as Announcement)
  return { hosts, say }
}

describe('The list of model hosts', () => {
  it('has 2000 hosts at most, and 200 infos: the oldest info is forgotten', () => {
    const asked: string[] = []
    const { hosts, say } = hostList(asked)
    for (let boot = 0; boot <= 2000; boot++) say(boot, '')
    expect(hosts.statsOf('model')).to.have.length(2000)
    expect(asked).to.deep.equal([])
    say(0, 'unknown')
    expect(asked).to.deep.equal(['info'])
    for (let i = 0; i <= 200; i++) say(0, `info ${i}`, { info: { version: i } })
    expect([hosts.info('info 0'), hosts.info('info 1')]).to.deep.equal([undefined, { version: 1 }])
  })

  it('sums up what its hosts say, until one says something new or goes', () => {
    const { hosts, say } = hostList([])
    const summary = () => {
      const { news, capacity, infoId } = hosts.view('model')
      return [news.length, capacity, infoId]
    }
    expect(summary()).to.deep.equal([0, 0, undefined])
    for (const boot of [1, 2]) say(boot, 'new', { capacity: 10 })
    say(3, 'old', { capacity: 5 })
    expect(summary()).to.deep.equal([3, 25, 'new'])
    for (const boot of [1, 2]) say(boot, 'old', { capacity: 7 })
    expect(summary()).to.deep.equal([3, 19, 'old'])
    say(3, 'old', {}, true)
    expect(summary()).to.deep.equal([2, 14, 'old'])
  })
})

describe('A message from the network', () => {
  it('is refused if it is no MessagePack, is cut off, declares a giant list, or has the key __proto__', () => {
    const whole = encodeValue({ text: 'x'.repeat(100) })
    const bad = [
      new Uint8Array(),
      new Uint8Array([0xc1]),
      whole.subarray(0, 50),
      new Uint8Array([0xdd, 0xff, 0xff, 0xff, 0xff]),
      new Uint8Array([0x81, 0xa9, ...Buffer.from('__proto__'), 0x80]),
    ]
    expect(bad.map((bytes) => codeOf(() => decodeValue(bytes)))).to.deep.equal(bad.map(() => 'ERR_PROTOCOL'))
  })

  it('is refused if it has another form than its kind says', () => {
    const [pipeline] = announcement.pipelines
    const bad = [
      null,
      { ...announcement, name: '' },
      { ...announcement, name: 'x'.repeat(256) },
      { ...announcement, leaving: 1 },
      { ...announcement, pipelines: Array.from({ length: 1001 }, () => pipeline) },
      { ...announcement, pipelines: [{ ...pipeline, capacity: -1 }] },
      { ...announcement, pipelines: [{ ...pipeline, progress: { fraction: '1', word: '' } }] },
      { ...announcement, pipelines: [{ ...pipeline, error: 'bad' }] },
    ]
    const codes = bad.map((value) => codeOf(() => readAnnouncement(encodeValue(value))))
    expect(codes).to.deep.equal(bad.map(() => 'ERR_PROTOCOL'))
    expect(readAnnouncement(encodeValue(announcement))).to.deep.equal(announcement)
    for (const [kind, value] of [
      ['result', { value: 1 }],
      ['failure', { error: {}, work: { prepare: 0, predict: 0, batch: 0 } }],
      ['other', { value: 1, work: { prepare: 0, predict: 0, batch: 0 } }],
    ] as const)
      expect(codeOf(() => decodeReply(kind, encodeValue(value)))).to.equal('ERR_PROTOCOL')
    expect(codeOf(() => readNotice('cancel', encodeValue({ keys: [1] })))).to.equal('ERR_PROTOCOL')
  })
})

describe('The options of a fleet', () => {
  it('must have addresses of RabbitMQ, which no error shows, and a name that queues can have', () => {
    const wrong = [
      'http://me:secret@host',
      'amqp:',
      '',
      'amqp://',
      'amqp:///vhost',
      'amqp://me:100%@host',
      'amqp://host/%',
    ]
    for (const url of wrong) {
      const error = () => readFleetOptions({ url })
      expect(error).to.throw(
        BrokerError,
        /^url must have the form amqp:\/\/user:password@host\/vhost or amqps:\/\/…, with %25 for % in a password, but has another one\.$/,
      )
    }
    expect(codeOf(() => readFleetOptions({ url: [] }))).to.equal('ERR_OPTION')
    for (const name of ['', 'a b', 'x'.repeat(101)])
      expect(codeOf(() => readFleetOptions({ url: 'amqp://host', name }))).to.equal('ERR_OPTION')
    const queueType = 'quorom' as 'quorum'
    expect(codeOf(() => readFleetOptions({ url: 'amqp://host', queueType }))).to.equal('ERR_OPTION')
    expect(readFleetOptions({ url: 'amqps://host/vhost', name: 'gpu-1' })).to.deep.include({ name: 'gpu-1' })
  })
})

describe('The reason why RabbitMQ cannot be reached', () => {
  it('names the address, and nothing else of the URL', () => {
    const url = 'amqps://alice:hunter2@rabbit.example.com/production'
    const errors = [
      new Error('Handshake terminated by server: 403 (ACCESS-REFUSED) with message "alice"'),
      new Error('530 (NOT-ALLOWED) "vhost production not found for alice"'),
      Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }),
      new Error('something about alice and hunter2'),
      undefined,
      new Error(
        `Channel closed by server: 403 (ACCESS-REFUSED) with message "ACCESS_REFUSED - access to exchange 'x' in vhost 'production' refused for user 'alice'"`,
      ),
    ]
    for (const error of errors) {
      const { message } = connectFailure(error, url)
      expect(message).to.match(/^RabbitMQ at rabbit\.example\.com:5671 .+\.$/)
      expect(message).not.to.match(/alice|hunter2|production/)
    }
  })
})

import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { BrokerError } from '../../../broker/errors.ts'
import { describeError, ERRORS } from '../../../lib/http/errors.ts'

const ROW = /^\| `(ERR_\w+)` \| (\d+) \| (yes|no) \| (?:–|(\d+) s) \| .+ \|$/gm

describe('the table of errors', () => {
  it('equals the table in docs/errors.md', () => {
    const doc = readFileSync(new URL('../../../docs/errors.md', import.meta.url), 'utf8')
    const listed = [...doc.matchAll(ROW)].map(([, code, status, shown, wait]) => [code, status, shown, wait])
    const table = Object.entries(ERRORS).map(([code, { status, expose, retryAfter }]) => [
      code,
      String(status),
      expose ? 'yes' : 'no',
      retryAfter?.toString(),
    ])
    expect(listed).to.deep.equal(table)
  })

  it('gives the message of an error that may be shown', () => {
    const known = describeError(new BrokerError('ERR_QUEUE_FULL', 'The queue is full.'))
    expect(known).to.include({
      status: 503,
      code: 'ERR_QUEUE_FULL',
      message: 'The queue is full.',
      retryAfter: 1,
    })
  })

  it('hides every other error', () => {
    const others = [
      new Error('secret'),
      new BrokerError('ERR_PIPELINE', 'secret'),
      { code: 'ERR_QUEUE_FULL' },
      'secret',
      null,
    ]
    for (const error of [...others, Object.assign(new Error('secret'), { code: 'toString' })]) {
      const { code, message } = describeError(error)
      expect(code).to.equal('ERR_INTERNAL')
      expect(message).not.to.contain('secret')
    }
  })
})

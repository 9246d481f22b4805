import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { ChildError } from '../../../broker/error-wire.ts'
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

  it('has no Retry-After when the cause is permanent, and otherwise has one', () => {
    const wire = { name: 'Error', code: 'ERR_MODEL_LOAD', message: 'It is broken.', stack: '' }
    const described = (cause: Error) =>
      describeError(new BrokerError('ERR_NOT_READY', 'Not ready.', { cause }))
    expect(described(new ChildError({ ...wire, permanent: { watch: [] } }))).not.to.have.property(
      'retryAfter',
    )
    expect(described(new ChildError(wire))).to.include({ code: 'ERR_NOT_READY', retryAfter: 10 })
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

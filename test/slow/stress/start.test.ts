import { expect } from 'chai'
import { CommandError } from '../../../scripts/shared/command-error.ts'
import { lookAtServer } from '../../../scripts/stress/look-at-server.ts'
import { type Service, scripted, startService } from '../../support/service.ts'
import { countsOf, foreignServer, GUESSES, htmlOf, markdownOf, runStress } from '../../support/stress.ts'

const KEY = 'a-key-of-sixteen-letters'
const SHORT = ['--rate', '10', '--minutes', '0.02']

async function refusalOf(promise: Promise<unknown>): Promise<CommandError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason) => reason,
  )
  if (error instanceof CommandError) return error
  throw new Error(`a CommandError was expected, but ${error} came`)
}

describe('Before the first request of a stress test', function () {
  this.timeout(60_000)

  it('an unreachable server ends it with 3 and one sentence', async () => {
    const gone = await foreignServer((_, response) => response.end())
    await gone.close()
    const { code, stdout, stderr } = await runStress(['--url', gone.url, ...SHORT])
    expect([code, stdout]).to.deep.equal([3, ''])
    expect(stderr).to.equal(`${gone.url} cannot be reached: connect ECONNREFUSED ${gone.url.slice(7)}.\n`)
  })

  it('a server without a ready model is waited for, and ends it with 3 when its time is over', async () => {
    const service = await startService(scripted({ startMs: 3000, answer: GUESSES }))
    const said: string[] = []
    const look = (readyWithinMs: number) =>
      lookAtServer(
        { url: new URL(service.url), key: undefined, model: undefined, readyWithinMs },
        (sentence) => said.push(sentence),
      )
    const { exitCode, message } = await refusalOf(look(0))
    expect([exitCode, message]).to.deep.equal([3, `${service.url} has no model ready (model: starting).`])
    expect((await look(20_000)).models).to.have.length(1)
    expect(said).to.deep.equal(['Waiting for a model to be ready (model: starting).'])
    await service.stop()
  })

  describe('a server with keys', () => {
    let service: Service
    before(async () => {
      service = await startService({ ...scripted({ answer: GUESSES }), API_KEYS: KEY })
      await service.ready()
    })
    after(() => service.stop())

    it('ends it with 2 where TANDEM_KEY is missing or wrong', async () => {
      const [none, wrong] = await Promise.all([
        runStress(['--url', service.url, ...SHORT]),
        runStress(['--url', service.url, ...SHORT], { TANDEM_KEY: `not-${KEY}` }),
      ])
      expect([none.code, none.stderr]).to.deep.equal([
        2,
        `${service.url} wants a key: put one of its API_KEYS into the environment variable TANDEM_KEY.\n`,
      ])
      expect([wrong.code, wrong.stderr]).to.deep.equal([
        2,
        `${service.url} does not accept the key in TANDEM_KEY.\n`,
      ])
    })

    it('is loaded with the right one, which is in neither report', async () => {
      const end = await runStress(['--url', service.url, ...SHORT], { TANDEM_KEY: KEY })
      expect([end.code, end.stderr]).to.deep.equal([0, ''])
      expect(countsOf(end, 'all')).to.deep.equal({ sent: 12, failed: 0 })
      expect(htmlOf(end)).to.include('Calls per batch')
      expect(htmlOf(end) + markdownOf(end) + end.stdout).not.to.include(KEY)
    })

    it('ends it with 2 over a model that is not served, and names those that are', async () => {
      const args = ['--url', service.url, '--model', 'other', ...SHORT]
      const { code, stderr } = await runStress(args, { TANDEM_KEY: KEY })
      expect([code, stderr]).to.deep.equal([
        2,
        '--model must be a model of the server, but is "other"; the server serves model.\n',
      ])
    })
  })

  it('a service of another kind is taken as it is, and the report says what it does not tell', async () => {
    const other = await foreignServer((request, response) => {
      if (request.url === '/predict') response.end('{"prediction":"tiger_cat","score":0.9,"success":true}')
      else if (request.url === '/') response.end('<h1>Upload</h1>')
      else response.writeHead(404).end('<h1>Not Found</h1>')
      request.resume()
    })
    const end = await runStress(['--url', other.url, ...SHORT])
    expect([end.code, end.stderr]).to.deep.equal([0, ''])
    expect(countsOf(end, 'POST /predict')).to.deep.equal({ sent: 9, failed: 0 })
    expect(markdownOf(end)).to.include('**The server did not tell its own figures')
    expect(htmlOf(end)).to.include('The server told none of its own figures.')
    await other.close()
  })
})

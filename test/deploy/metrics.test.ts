import { expect } from 'chai'
import { SETTINGS } from '../../lib/config/settings.ts'
import { deployFile, yaml } from '../support/deploy.ts'
import { type Service, scripted, startService } from '../support/service.ts'

interface Rule {
  alert: string
  expr: string
  for?: string
  labels: { severity: string }
  annotations: { summary: string }
}
interface Panel {
  id: number
  type: string
  title: string
  gridPos: { x: number; y: number; w: number; h: number }
  targets?: { refId: string; expr: string; legendFormat: string }[]
}

const WITHIN_MS = 60_000
/** Series that a histogram has beside its name. */
const PARTS = /_(bucket|sum|count)$/
/** What Prometheus itself adds to each series. */
const OF_PROMETHEUS = ['instance', 'job', 'le']
const RULES = yaml<{ groups: { rules: Rule[] }[] }>('prometheus/alerts.yml').groups.flatMap(
  ({ rules }) => rules,
)
const BOARD = JSON.parse(deployFile('grafana/tandem.json')) as {
  uid: string
  panels: Panel[]
  templating: { list: { name: string; definition?: string }[] }
}
const QUERIES = BOARD.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr))
const EXPRESSIONS = [...RULES.map(({ expr }) => expr), ...QUERIES]

describe('The dashboard and the alerts', function () {
  this.timeout(WITHIN_MS)
  /** by name, what /metrics says of a metric: its type, and the labels of its series */
  const printed = new Map<string, { type: string; labels: Set<string> }>()
  let services: Service[]

  before(async function () {
    this.timeout(WITHIN_MS)
    // No RabbitMQ is there: the names do not depend on the connection.
    const env = { ...scripted({}), AMQP_URL: 'amqp://127.0.0.1:1', LOG_LEVEL: 'info' }
    services = await Promise.all([
      startService({ ...env, ROLE: 'web' }),
      startService({ ...env, ROLE: 'model' }),
    ])
    for (const { url } of services) {
      await fetch(`${url}/healthz`)
      for (const line of (await (await fetch(`${url}/metrics`)).text()).split('\n')) read(line)
    }
  })
  after(() => Promise.all((services ?? []).map((service) => service.stop())))

  const read = (line: string) => {
    const [, declared, type = ''] = /^# TYPE (\S+) (\S+)$/.exec(line) ?? []
    if (declared !== undefined && !printed.has(declared)) printed.set(declared, { type, labels: new Set() })
    const [, name = '', labels = ''] = /^([a-z_]+)\{(.*)\} /.exec(line) ?? []
    for (const [, label = ''] of labels.matchAll(/(\w+)="/g)) metric(name)?.labels.add(label)
  }
  const metric = (name: string) => printed.get(name) ?? printed.get(name.replace(PARTS, ''))

  it('use only metrics that a web host or a model host prints', () => {
    expect(EXPRESSIONS).to.have.length.above(30)
    const unknown = EXPRESSIONS.flatMap(names).filter((name) => metric(name) === undefined)
    expect(unknown).to.deep.equal([])
    for (const name of EXPRESSIONS.flatMap(names).filter((each) => PARTS.test(each)))
      if (!printed.has(name)) expect([name, metric(name)?.type]).to.deep.equal([name, 'histogram'])
  })

  it('use every metric of the fleet', () => {
    const used = new Set(EXPRESSIONS.flatMap(names))
    const unused = [...printed.keys()].filter((name) => /^tandem_(fleet|host)_/.test(name) && !used.has(name))
    // Shown by /status; the children of a host are what its operator has set.
    expect(unused).to.have.members([
      'tandem_fleet_host_children',
      'tandem_fleet_reconnects_total',
      'tandem_host_answered_total',
      'tandem_host_held',
      'tandem_host_reconnects_total',
    ])
  })

  it('take rates of counters alone', () => {
    const rates = EXPRESSIONS.flatMap((expression) => [...expression.matchAll(/\b(rate|increase)\((\w+)/g)])
    expect(rates).to.have.length.above(15)
    for (const [, , name = ''] of rates)
      expect(metric(name)?.type, name).to.be.oneOf(['counter', 'histogram'])
    const counters = EXPRESSIONS.flatMap(names).filter((name) => name.endsWith('_total'))
    expect(rates.map(([, , name]) => name)).to.include.members(counters)
  })

  it('use only labels that the series have', () => {
    for (const expression of EXPRESSIONS) {
      const known = names(expression).map((name) => metric(name)?.labels ?? new Set<string>())
      // A series that only a prediction makes has no labels yet.
      if (known.some(({ size }) => size === 0)) continue
      const labels = new Set([...OF_PROMETHEUS, ...known.flatMap((each) => [...each])])
      for (const label of labelsIn(expression)) expect([...labels], expression).to.include(label)
    }
  })

  it('are whole: parentheses match, each alert has a severity and a summary, each panel its place', () => {
    for (const expression of EXPRESSIONS)
      for (const pair of ['()', '{}', '[]'])
        expect(count(expression, pair[0]), expression).to.equal(count(expression, pair[1]))
    expect(new Set(RULES.map(({ alert }) => alert)).size).to.equal(RULES.length)
    for (const { alert, for: lasting = '0m', labels, annotations } of RULES) {
      expect(labels.severity, alert).to.be.oneOf(['warning', 'critical'])
      expect(annotations.summary, alert).to.be.a('string')
      expect(lasting, alert).to.match(/^\d+[sm]$/)
    }
    expect(new Set(BOARD.panels.map(({ id }) => id)).size).to.equal(BOARD.panels.length)
    const cells = BOARD.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, i) => `${x + (i % w)},${y + Math.floor(i / w)}`),
    )
    expect(new Set(cells).size).to.equal(cells.length)
    for (const name of QUERIES.flatMap((query) => query.match(/\$(?!__)\w+/g) ?? []))
      expect(BOARD.templating.list.map((variable) => `$${variable.name}`)).to.include(name)
  })

  it('warn at half of the bounds that are the default', () => {
    const limit = (alert: string) =>
      Number(/> ([\d.]+)$/.exec(RULES.find((rule) => rule.alert === alert)?.expr ?? '')?.[1])
    expect(limit('TandemQueueGrows') * 2).to.equal(Number(SETTINGS.maxQueue.fallback))
    expect(limit('TandemCallsWaitLong') * 2000).to.equal(Number(SETTINGS.deadlineMs.fallback))
  })
})

function names(expression: string): string[] {
  return expression.replace(/\{[^}]*\}/g, '').match(/\b(tandem|process|nodejs)_\w+/g) ?? []
}

function labelsIn(expression: string): string[] {
  const grouped = [...expression.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(/, */))
  const matched = [...expression.matchAll(/(\w+)(?:=~|!~|!=|=)"/g)].map(([, label = '']) => label)
  return [...grouped, ...matched]
}

function count(text: string, character = ''): number {
  return text.split(character).length - 1
}

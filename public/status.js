import { askForKey } from './api-key.js'
import { clockText } from './clock-text.js'
import { figureText } from './figure-words.js'
import { setPill } from './readiness.js'
import { aboutModel } from './state-words.js'
import { Chart } from './status-chart.js'
import { Feed } from './status-feed.js'
import { Series } from './status-series.js'

/** A second without calls has no latency; for this many samples the one before it is shown still. */
const REMEMBERED = 10
const REMEMBERED_COLUMNS = /P\d\d$|^batchSize$/

const SERVICE_CHARTS = [
  {
    title: 'Answers per second',
    kind: 'rate',
    lines: [
      ['succeeded', 'good'],
      ['refused', '4xx'],
      ['failed', '5xx'],
    ],
    fold: 'mean',
  },
  { title: 'Event-loop delay', kind: 'ms', lines: [['eventLoopDelay', 'p99']], fold: 'max', least: 10 },
  {
    title: 'Memory',
    kind: 'bytes',
    lines: [
      ['memory', 'web process'],
      ['children', 'children'],
    ],
    fold: 'max',
  },
]

const MODEL_CHARTS = [
  {
    title: 'Images per second',
    kind: 'rate',
    lines: [
      ['calls', 'predicted'],
      ['cacheHits', 'from the cache'],
      ['failures', 'failed'],
    ],
    fold: 'mean',
    marks: 'restarts',
  },
  {
    title: 'Queue',
    kind: 'count',
    lines: [
      ['queued', 'waiting'],
      ['inFlight', 'in the child'],
    ],
    fold: 'max',
    least: 10,
  },
  { title: 'Batch size', kind: 'mean', lines: [['batchSize', 'mean']], fold: 'mean', least: 2 },
  {
    title: 'Time of a call',
    kind: 'ms',
    lines: [
      ['totalP50', 'p50'],
      ['totalP95', 'p95'],
      ['totalP99', 'p99'],
    ],
    fold: 'max',
    least: 10,
  },
  {
    title: 'Where it goes, p95',
    kind: 'ms',
    lines: [
      ['queueP95', 'queue'],
      ['prepareP95', 'prepare'],
      ['predictP95', 'predict'],
    ],
    fold: 'max',
    least: 10,
  },
  { title: 'Busy', kind: 'part', lines: [['busy', 'predicting']], fold: 'mean', most: 1 },
]

const page = { root: undefined, sections: [] }
let answeredAt

const feed = new Feed({
  async answered(answer) {
    if (!isOf(answer)) await renew()
    if (!isOf(answer)) throw new Error('it is being restarted')
    answeredAt = answer.now
    put(byId('updated'), clockText(answer.now))
    byId('trouble').hidden = true
    page.root.classList.remove('is-stale')
    for (const section of page.sections) show(section, answer)
  },
  failed(why) {
    const since = answeredAt === undefined ? '' : ` since ${clockText(answeredAt)}`
    say(`The service has not answered${since} (${why}). This page goes on asking every second.`)
    page.root.classList.add('is-stale')
  },
  async needsKey(why) {
    if (await askForKey(why)) return feed.resume()
    say('The figures need a key.')
    byId('key-again').hidden = false
  },
})

take(byId('status'))
feed.start()

/** Makes what the server has sent live. */
function take(root) {
  page.root = root
  page.sections = [...root.querySelectorAll('[data-service], [data-model]')].map(connect)
  root.querySelector('#key-again button').addEventListener('click', () => {
    byId('key-again').hidden = true
    feed.resume()
  })
}

/** The server makes the page that fits: after a restart, and once there is a key. */
async function renew() {
  const made = new DOMParser().parseFromString(await feed.page(), 'text/html')
  const root = document.adoptNode(made.getElementById('status'))
  page.root.replaceWith(root)
  take(root)
}

function connect(element) {
  const series = new Series()
  const specs = element.dataset.model === undefined ? SERVICE_CHARTS : MODEL_CHARTS
  const charts = specs.map((spec) => new Chart(spec, series, element.querySelector('.charts')))
  return { element, name: element.dataset.model, series, charts }
}

/** Whether the page was made by the process that has answered, and is not the one without figures. */
function isOf({ startedAt }) {
  return page.root.dataset.started === String(startedAt)
}

function show({ element, name, series, charts }, { samples, models }) {
  const { t, models: columnsOf, ...service } = samples
  series.add(t, name === undefined ? { ...service, children: childrenMemory(columnsOf) } : columnsOf[name])
  for (const cell of element.querySelectorAll('[data-figure]')) {
    const { figure, kind } = cell.dataset
    put(cell, figureText(series.latest(figure, REMEMBERED_COLUMNS.test(figure) ? REMEMBERED : 1), kind))
  }
  const model = models.find((one) => one.name === name)
  if (model) showModel(element, model)
  for (const chart of charts) chart.draw()
}

function showModel(element, model) {
  const { state, restarts, progress, error } = model
  setPill(element.querySelector('[data-state]'), state)
  put(element.querySelector('[data-about]'), aboutModel(model))
  put(element.querySelector('[data-total="restarts"]'), String(restarts))
  putNotice(element.querySelector('[data-progress]'), progress?.word)
  putNotice(element.querySelector('[data-error]'), error && `${error.code}: ${error.message}`)
}

function childrenMemory(columnsOf) {
  const columns = Object.values(columnsOf).map(({ memory }) => memory)
  return (columns[0] ?? []).map((_, i) => {
    const known = columns.map((column) => column[i]).filter((figure) => figure !== null)
    return known.length === 0 ? null : known.reduce((sum, figure) => sum + figure, 0)
  })
}

function say(text) {
  put(byId('trouble'), text)
  byId('trouble').hidden = false
}

function byId(id) {
  return document.getElementById(id)
}

function put(element, text) {
  if (element.textContent !== text) element.textContent = text
}

function putNotice(element, text) {
  element.hidden = !text
  put(element, text ?? '')
}

import { askForKey } from './api-key.js'
import { clockText } from './clock-text.js'
import { figureText } from './figure-words.js'
import { fleetLine, hostCells } from './fleet-words.js'
import { byId, find, put } from './page.js'
import { setPill } from './readiness.js'
import { aboutModel, tuningLine } from './state-words.js'
import { Chart } from './status-chart.js'
import { Feed } from './status-feed.js'
import { Series } from './status-series.js'

/** @typedef {import('./status-table.js').Spec} Spec */
/** @typedef {import('./status-feed.js').Status} Status */
/** @typedef {import('./status-feed.js').Columns} Columns */
/** @typedef {ReturnType<typeof connect>} Section */

/** A second without calls has no latency. For this many samples, the last known latency stays. */
const REMEMBERED = 10
const REMEMBERED_COLUMNS = /P\d\d$|^batchSize$/

/** @type {readonly Spec[]} */
const SERVICE_CHARTS = [
  {
    title: 'Answers per second',
    kind: 'rate',
    lines: [
      ['succeeded', 'success'],
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

/** @type {readonly Spec[]} */
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
    title: 'Time by stage, p95',
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

/** @type {{ root: HTMLElement, sections: Section[] }} */
const page = { root: byId('status'), sections: [] }
/** @type {number | undefined} */
let answeredAt

const feed = new Feed({
  async answered(answer) {
    if (!isOf(answer)) await renew()
    if (!isOf(answer)) throw new Error('restarting')
    answeredAt = answer.now
    put(byId('updated'), clockText(answer.now))
    byId('trouble').hidden = true
    page.root.classList.remove('is-stale')
    for (const section of page.sections) show(section, answer)
  },
  failed(why) {
    const since = answeredAt === undefined ? '' : ` since ${clockText(answeredAt)}`
    say(`The service has not answered${since} (${why}). This page tries again every second.`)
    page.root.classList.add('is-stale')
  },
  async needsKey(why) {
    if (await askForKey(why)) return feed.resume()
    say('The figures require a key.')
    byId('key-again').hidden = false
  },
})

take(page.root)
feed.start()

/**
 * Connects the charts and buttons of a page that the server has rendered.
 * @param {HTMLElement} root
 */
function take(root) {
  page.root = root
  page.sections = [...root.querySelectorAll('[data-service], [data-model]')].map(connect)
  find(root, '#key-again button').addEventListener('click', () => {
    byId('key-again').hidden = true
    feed.resume()
  })
}

/** Replaces the page by a new one from the server: after a restart, and once there is a key. */
async function renew() {
  const made = new DOMParser().parseFromString(await feed.page(), 'text/html')
  const root = document.adoptNode(find(made, '#status'))
  page.root.replaceWith(root)
  take(root)
}

/** @param {Element} element */
function connect(element) {
  const series = new Series()
  const name = element.getAttribute('data-model') ?? undefined
  const specs = name === undefined ? SERVICE_CHARTS : MODEL_CHARTS
  const charts = specs.map((spec) => new Chart(spec, series, find(element, '.charts')))
  return { element, name, series, charts }
}

/**
 * Whether the page and the answer come from the same process. A page without figures fits no answer.
 * @param {Status} answer
 */
function isOf({ startedAt }) {
  return page.root.dataset.started === String(startedAt)
}

/**
 * @param {Section} section
 * @param {Status} answer
 */
function show({ element, name, series, charts }, { samples, models }) {
  const { t, models: columnsOf, ...service } = samples
  series.add(
    t,
    name === undefined ? { ...service, children: childrenMemory(columnsOf) } : (columnsOf[name] ?? {}),
  )
  for (const cell of element.querySelectorAll('[data-figure]')) {
    const figure = cell.getAttribute('data-figure') ?? ''
    const kind = /** @type {import('./figure-words.js').FigureKind} */ (cell.getAttribute('data-kind'))
    put(cell, figureText(series.latest(figure, REMEMBERED_COLUMNS.test(figure) ? REMEMBERED : 1), kind))
  }
  const model = models.find((one) => one.name === name)
  if (model) showModel(element, model)
  for (const chart of charts) chart.draw()
}

/**
 * @param {Element} element
 * @param {import('./status-feed.js').Model} model
 */
function showModel(element, model) {
  const { state, restarts, progress, error } = model
  setPill(find(element, '[data-state]'), state)
  put(find(element, '[data-about]'), aboutModel(model))
  put(find(element, '[data-total="restarts"]'), String(restarts))
  if (model.fleet) showFleet(element, model.fleet)
  putNotice(find(element, '[data-tuning]'), tuningLine(model))
  putNotice(find(element, '[data-progress]'), progress?.word)
  putNotice(find(element, '[data-error]'), error && `${error.code}: ${error.message}`)
}

/**
 * @param {Element} element
 * @param {import('./fleet-words.js').Fleet} fleet
 */
function showFleet(element, fleet) {
  put(find(element, '[data-fleet-line]'), fleetLine(fleet))
  const rows = fleet.hosts.map((host) => {
    const row = document.createElement('tr')
    for (const text of hostCells(host)) row.insertCell().textContent = text
    return row
  })
  find(element, '[data-hosts]').replaceChildren(...rows)
}

/** @param {Readonly<Record<string, Columns>>} columnsOf */
function childrenMemory(columnsOf) {
  const columns = Object.values(columnsOf).map(({ memory = [] }) => memory)
  return (columns[0] ?? []).map((_, i) => {
    const known = columns.flatMap((column) => column[i] ?? [])
    return known.length === 0 ? null : known.reduce((sum, figure) => sum + figure, 0)
  })
}

/** @param {string} text */
function say(text) {
  put(byId('trouble'), text)
  byId('trouble').hidden = false
}

/**
 * @param {HTMLElement} element
 * @param {string | undefined | null} text
 */
function putNotice(element, text) {
  element.hidden = !text
  put(element, text ?? '')
}

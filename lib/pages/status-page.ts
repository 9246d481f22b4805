import { type FigureKind, figureText } from '../../public/figure-words.js'
import { fleetLine, HOST_COLUMNS, hostCells } from '../../public/fleet-words.js'
import { aboutModel, tuningLine } from '../../public/state-words.js'
import type { ModelState } from '../models/model-state.ts'
import { type Latest, latestOf } from '../status/latest.ts'
import type { Samples } from '../status/samples.ts'
import { type Html, html } from './html.ts'
import { keyDialog } from './key-dialog.ts'
import { layout, type Site } from './layout.ts'
import { statePill } from './model-status.ts'

export interface StatusFigures {
  readonly now: number
  readonly startedAt: number
  readonly version: string
  readonly draining: boolean
  readonly models: readonly ModelState[]
  readonly samples: Samples
}

type Tile = readonly [label: string, figure: string, kind: FigureKind]

const SERVICE_TILES: readonly Tile[] = [
  ['Requests per second', 'requests', 'rate'],
  ['4xx answers per second', 'refused', 'rate'],
  ['5xx answers per second', 'failed', 'rate'],
  ['Event-loop delay, p99', 'eventLoopDelay', 'ms'],
  ['Memory of the web process', 'memory', 'bytes'],
]

const MODEL_TILES: readonly Tile[] = [
  ['Images per second', 'calls', 'rate'],
  ['In the queue', 'queued', 'count'],
  ['In the child', 'inFlight', 'count'],
  ['Images per batch', 'batchSize', 'mean'],
  ['Busy', 'busy', 'part'],
  ['Memory of the children', 'memory', 'bytes'],
]

const STAGES = [
  ['queue', 'Queue'],
  ['prepare', 'Prepare'],
  ['predict', 'Predict'],
  ['total', 'Total'],
] as const

/** The current figures, to which public/status.js adds charts. Without figures, the page asks for a key. */
export function statusPage(site: Site, answer: StatusFigures | undefined): string {
  const latest = answer && latestOf(answer.samples)
  const models = answer?.models ?? []
  const main = html`<div class="stack stack-wide" id="status" data-started="${answer?.startedAt}">
<div class="stack stack-tight">
<h1>Status</h1>
<p class="row muted"><span>${clock(answer)}</span><noscript><a class="button button-small" href="/status">Refresh</a></noscript></p>
<p class="notice notice-bad" id="trouble" role="status" hidden></p>
<p id="key-again" hidden><button type="button" class="button">Enter a key</button></p>
${answer === undefined && html`<noscript><p class="notice">The figures require a key, and this page can send a key only with JavaScript.</p></noscript>`}
</div>
${
  answer &&
  html`<section class="stack" aria-labelledby="service" data-service>
<h2 id="service">Web process</h2>
<p class="muted small">Tandem ${answer.version}, up since ${time(answer.startedAt)}${answer.draining && ', shutting down: accepted requests are being finished'}</p>
${tiles(SERVICE_TILES, latest?.service)}
<div class="charts"></div>
</section>
${models.map((model, index) => section(model, index, latest?.models.get(model.name)))}`
}
${keyDialog()}
</div>`
  return layout(site, {
    title: 'Status',
    path: '/status',
    styles: ['status.css'],
    scripts: ['status.js'],
    main,
  })
}

function clock(answer: StatusFigures | undefined): Html {
  if (answer === undefined) return html`No figures yet`
  return html`As of <span id="updated">${time(answer.now)}</span>`
}

function time(milliseconds: number): Html {
  const iso = new Date(milliseconds).toISOString()
  return html`<time datetime="${iso}">${iso.slice(0, 19).replace('T', ' ')} UTC</time>`
}

function section(model: ModelState, index: number, latest: Latest | undefined): Html {
  const { name, error, progress } = model
  const tuning = tuningLine(model)
  return html`<section class="stack" aria-labelledby="model-${index}" data-model="${name}">
<div class="row"><h2 id="model-${index}"><a href="/${name}">${name}</a></h2>
${statePill(model)}
<span class="muted small" data-about>${aboutModel(model)}</span></div>
<p class="muted small" data-tuning${tuning === '' && html` hidden`}>${tuning}</p>
<p class="notice" data-progress${progress === null && html` hidden`}>${progress?.word}</p>
<p class="notice notice-bad" data-error${error === null && html` hidden`}>${error && `${error.code}: ${error.message}`}</p>
${tiles(MODEL_TILES, latest, [['Restarts', model.restarts]])}
${latencies(name, latest)}
${model.fleet && fleet(name, model.fleet)}
<div class="charts"></div>
</section>`
}

function tiles(
  list: readonly Tile[],
  latest: Latest | undefined,
  more: readonly (readonly [string, number])[] = [],
): Html {
  return html`<dl class="tiles">
${list.map(
  ([
    label,
    figure,
    kind,
  ]) => html`<div class="tile"><dt>${label}</dt><dd class="number" data-figure="${figure}" data-kind="${kind}">${figureText(latest?.[figure], kind)}</dd></div>
`,
)}${more.map(
  ([
    label,
    figure,
  ]) => html`<div class="tile"><dt>${label}</dt><dd class="number" data-total="${label.toLowerCase()}">${figure}</dd></div>
`,
)}</dl>`
}

function fleet(name: string, its: NonNullable<ModelState['fleet']>): Html {
  return html`<p class="small muted" data-fleet-line>${fleetLine(its)}</p>
<div class="scrolls"><table class="latencies number">
<caption class="small muted">Model hosts of ${name}</caption>
<thead><tr>${HOST_COLUMNS.map((column) => html`<th scope="col">${column}</th>`)}</tr></thead>
<tbody data-hosts>
${its.hosts.map(
  (host) => html`<tr>${hostCells(host).map((cell) => html`<td>${cell}</td>`)}</tr>
`,
)}</tbody>
</table></div>`
}

function latencies(name: string, latest: Latest | undefined): Html {
  return html`<table class="latencies number">
<caption class="small muted">Duration of the calls to ${name} in the last second with an answer</caption>
<thead><tr><th scope="col">Stage</th>${[50, 95, 99].map((percent) => html`<th scope="col">p${percent}</th>`)}</tr></thead>
<tbody>
${STAGES.map(
  ([stage, title]) => html`<tr><th scope="row">${title}</th>${[50, 95, 99].map(
    (percent) =>
      html`<td data-figure="${stage}P${percent}" data-kind="ms">${figureText(latest?.[`${stage}P${percent}`], 'ms')}</td>`,
  )}</tr>
`,
)}</tbody>
</table>`
}

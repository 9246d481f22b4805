import type { ShownError } from '../http/errors.ts'
import type { ModelState } from '../models/model-state.ts'
import { type Html, html } from './html.ts'
import { keyDialog, keyNotice } from './key-dialog.ts'
import { layout, type Site } from './layout.ts'
import { loadingNotice, type StandIn, statePill } from './model-status.ts'
import { PUBLIC_FILES } from './public-files.ts'
import { cardTemplates, type Result, resultCard } from './result-card.ts'

export interface ModelPageData {
  readonly path: string
  readonly model: ModelState
  /** what is done with an image, and what the numbers are; empty before the model is ready */
  readonly about: string
  /** other models for the same subject, the ready ones first */
  readonly standIns: readonly StandIn[]
  /** the names of all served models, to switch between them */
  readonly models: readonly string[]
  readonly maxBytes: number
  readonly origin: string
  /** whether requests need an API key, which a plain form cannot send */
  readonly needsKey: boolean
  /** the URL that the user entered, to be shown in the form again */
  readonly url?: string
  readonly result?: Result
  readonly problem?: ShownError
}

/** Files of `public/examples/`. The README.md there names authors and licences. */
const EXAMPLES = [
  ['cat.jpg', 'Cat'],
  ['coffee.jpg', 'Coffee'],
  ['rocket.jpg', 'Rocket'],
] as const

/** The page of a model. Without JavaScript, the page is a plain form; public/model.js takes the form over. */
export function modelPage(site: Site, data: ModelPageData): string {
  const { path, model, models, maxBytes, result, problem, about } = data
  const main = html`<div class="stack" id="classify" data-path="${path}" data-model="${model.name}" data-max-bytes="${maxBytes}">
<div class="model-head">
<div class="row"><h1>${model.name}</h1><span id="state">${statePill(model)}</span>${model.device && html`<span class="muted small">on ${model.device}</span>`}</div>
${models.length > 1 && modelSwitch(models, model.name)}
</div>
${about !== '' && html`<p class="muted small" id="about">${about}</p>`}
${loadingNotice(model, data.standIns)}
<div class="notice notice-bad" id="problem" role="alert" hidden></div>
<div class="workbench">
${form(data)}
<section class="results" aria-labelledby="results-title">
<div class="results-head"><h2 id="results-title">${result ? 'Result' : 'Results'}</h2><div class="row"><button type="button" class="button button-small" id="again-all" hidden>Try all again</button><button type="button" class="button button-small" id="clear" hidden>Clear</button></div></div>
${problem && problemNotice(problem)}
${result && resultCard(result)}
<p class="muted results-none" id="none"${(result || problem) && html` hidden`}>The guesses for each picture appear here, with probabilities and times.</p>
<ol class="plain stack" id="cards"></ol>
</section>
</div>
<p class="visually-hidden" role="status" id="said"></p>
<datalist id="labels"></datalist>
${cardTemplates()}
${dialogs()}
</div>`
  return layout(site, {
    title: result?.guesses?.[0]?.label ?? model.name,
    main,
    path,
    section: '/vgg',
    styles: ['model.css'],
    scripts: ['model.js'],
  })
}

function form({ path, url, origin, needsKey }: ModelPageData): Html {
  return html`<form class="card card-roomy intake" id="form" method="post" action="${path}#results-title" enctype="multipart/form-data">
${needsKey && keyNotice(`curl -H "X-Api-Key: $API_KEY" --data-binary @photo.jpg ${origin}${path}`)}
<div class="intake-drop" id="drop">
<label class="field intake-file"><span>A picture from this device</span><input class="input" id="file" name="image" type="file" accept="image/*"></label>
<div class="intake-choices" id="choices" hidden>
<p class="intake-title"><span class="for-mouse">Drop pictures here, or paste them</span><span class="for-touch">Pictures from this device</span></p>
<div class="row"><button type="button" class="button" id="choose">Choose pictures</button><button type="button" class="button" id="camera" hidden>Use the camera</button></div>
</div>
</div>
<label class="field"><span>or the URL of a picture</span><input class="input" id="url" name="url" type="text" inputmode="url" autocomplete="off" spellcheck="false" placeholder="https://example.com/cat.jpg" value="${url}"></label>
<button class="button button-main" id="send">Classify</button>
<fieldset class="examples"><legend class="small muted">No picture at hand?</legend>
<ul class="plain examples-list">${EXAMPLES.map(([file, name]) => example(file, name))}</ul>
</fieldset>
<details class="small intake-curl"><summary>From a program</summary>
<pre class="code wraps" tabindex="0" role="region" aria-label="Command"><code>curl ${needsKey && '-H "X-Api-Key: $API_KEY" '}--data-binary @photo.jpg ${origin}${path}</code></pre>
<p><a href="/docs">Read the API</a></p>
</details>
</form>`
}

/** Without JavaScript, the link opens the picture, which the user can save and upload. */
function example(file: string, name: string): Html {
  const address = PUBLIC_FILES.url(`examples/${file}`)
  return html`<li><a class="example" href="${address}" data-example="${file}"><img src="${address}" alt="" width="96" height="64" loading="lazy"><span>${name}</span></a></li>
`
}

function modelSwitch(models: readonly string[], current: string): Html {
  return html`<nav class="switch" aria-label="Models">${models.map(
    (name) => html`<a href="/${name}"${name === current && html` aria-current="true"`}>${name}</a> `,
  )}</nav>`
}

function problemNotice({ code, message, requestId }: ShownError): Html {
  return html`<div class="notice notice-bad" role="alert">
<p>${message}</p>
<p class="small muted"><code>${code}</code> · request <code>${requestId}</code></p>
</div>`
}

function dialogs(): Html {
  return html`${keyDialog()}
<dialog id="camera-dialog" aria-labelledby="camera-title"><div class="stack">
<h2 id="camera-title">Camera</h2>
<video id="camera-video" playsinline muted></video>
<div class="row"><button type="button" class="button button-main" id="camera-take">Take picture</button><button type="button" class="button" id="camera-close">Close</button></div>
</div></dialog>`
}

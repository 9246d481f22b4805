import { hasBar, modelWord } from '../../public/state-words.js'
import type { Dialect } from '../http/dialect.ts'
import type { ModelState } from '../models/model-state.ts'
import { type Html, html } from './html.ts'
import { layout, padPath, type Site } from './layout.ts'
import { statePill } from './model-status.ts'

/** The model that answers a dialect here, or why there is none. */
interface Answering {
  readonly model: string | undefined
  readonly missing: string
}

export interface ServedDialect extends Pick<Dialect, 'name' | 'example'>, Answering {}

export interface HomePageData {
  readonly models: readonly ModelState[]
  readonly dialects: readonly ServedDialect[]
  /** what answers the form */
  readonly upload: Answering
  readonly origin: string
  readonly notice: string | undefined
  /** a form of the browser itself cannot send one */
  readonly needsKey: boolean
}

/** What is served here, how to ask for it, and a form to try it with. */
export function homePage(site: Site, data: HomePageData): string {
  const { models, dialects, origin } = data
  const pad = padPath(site)
  const main = html`<div class="stack stack-wide">
<div class="hero">
<div class="stack">
<h1>What is in the picture?</h1>
<p class="lead">Tandem runs image-classification models on this machine. One process answers, at once; another one predicts. Show it a picture, or have a program ask.</p>
<div class="row">${site.classifies && html`<a class="button button-main" href="/vgg">Try it with pictures</a> `}${pad !== undefined && html`<a class="button" href="${pad}">Draw a digit</a> `}<a class="button" href="/docs">Read the API</a></div>
</div>
${onePicture(data)}
</div>
<section class="stack" aria-labelledby="models-title">
<h2 id="models-title">Models</h2>
<ul class="grid" id="models">${models.map(modelCard)}</ul>
<p class="visually-hidden" role="status" id="said"></p>
</section>
<section class="stack" aria-labelledby="dialects-title">
<div class="stack stack-tight"><h2 id="dialects-title">Five ways to ask</h2>
<p class="muted">Clients of five older services work here unchanged. Each has its own routes, fields and shapes; the first is also Tandem’s own way.</p></div>
<div class="dialects">${dialects.map((one) => dialect(one, origin))}</div>
</section>
<p class="row"><a href="/docs">Every route, with its parameters and answers</a> <a href="/openapi.json">The same for programs (OpenAPI)</a> <a href="/status">How the service is doing</a></p>
</div>`
  return layout(site, {
    title: 'Image classification',
    main,
    path: '/',
    styles: ['home.css'],
    scripts: ['home.js'],
  })
}

function onePicture({ upload: { model, missing }, notice, needsKey, origin }: HomePageData): Html {
  if (model === undefined) return noPicture(missing)
  return needsKey ? wayToKey(`${origin}/${model}`) : uploadForm(notice, model)
}

/** A form could only be answered with an error. */
function noPicture(missing: string): Html {
  return html`<section class="card card-roomy stack" aria-labelledby="picture-title">
<h2 id="picture-title">One picture</h2>
<p class="notice">${missing}</p>
</section>`
}

function uploadForm(notice: string | undefined, model: string): Html {
  return html`<form class="card card-roomy stack" method="post" action="/" enctype="multipart/form-data">
<h2>One picture</h2>
${notice !== undefined && html`<p class="notice notice-bad" role="alert">${notice}</p>`}
<label class="field"><span>A file: png, jpg, jpeg or gif</span><input class="input" name="file" type="file" accept="image/*"></label>
<div class="row"><button class="button">Classify</button><span class="muted small">with ${model}</span></div>
</form>`
}

function wayToKey(address: string): Html {
  return html`<section class="card card-roomy stack" aria-labelledby="picture-title">
<h2 id="picture-title">One picture</h2>
<p>This service wants a key. The page of a model asks for yours with the first picture, and keeps it for as long as the tab is open.</p>
<div class="row"><a class="button" href="/vgg">Choose a picture</a></div>
<noscript><p class="small">Without JavaScript a browser cannot send a key; a command can:</p>
<pre class="code wraps" tabindex="0" role="region" aria-label="Command with a key"><code>curl -H "X-Api-Key: $API_KEY" --data-binary @photo.jpg ${address}</code></pre></noscript>
</section>`
}

function modelCard(model: ModelState): Html {
  const { name, progress, error } = model
  return html`<li class="card stack stack-tight model" data-model="${name}">
<div class="row model-name"><h3><a href="/${name}">${name}</a></h3>${statePill(model)}</div>
<p class="small muted" data-part="word">${modelWord(model)}</p>
<progress max="1" value="${progress?.fraction ?? 0}" aria-label="How far ${name} is"${!hasBar(model) && html` hidden`}></progress>
<p class="small" data-part="error"${!(error && model.state !== 'ready') && html` hidden`}>${error?.message}</p>
</li>
`
}

function dialect({ name, model, missing, example }: ServedDialect, origin: string): Html {
  const { says, command, answer } = example
  return html`<article class="dialect">
<div><h3>${name}</h3><p class="muted small">${says}</p><p class="muted small">${model === undefined ? missing : html`Answered by <b>${model}</b>`}</p></div>
<div class="stack stack-tight">
<pre class="code" data-copy tabindex="0" role="region" aria-label="Command for ${name}"><code>${command.replaceAll('$URL', origin)}</code></pre>
<pre class="code answer" tabindex="0" role="region" aria-label="Answer of ${name}"><code>${answer}</code></pre>
</div>
</article>
`
}

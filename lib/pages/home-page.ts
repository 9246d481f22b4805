import { hasBar, modelWord } from '../../public/state-words.js'
import type { Dialect } from '../http/dialect.ts'
import type { ModelState } from '../models/model-state.ts'
import { type Html, html } from './html.ts'
import { layout, padPath, type Site } from './layout.ts'
import { statePill } from './model-status.ts'

const NUMBERS = ['no', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten']

/** The model that answers, or the reason why no model does. */
interface Answering {
  readonly model: string | undefined
  readonly missing: string
}

export interface ServedDialect extends Pick<Dialect, 'name' | 'example'>, Answering {}

export interface HomePageData {
  readonly models: readonly ModelState[]
  readonly dialects: readonly ServedDialect[]
  /** the model behind the upload form */
  readonly upload: Answering
  readonly origin: string
  readonly notice: string | undefined
  /** whether requests need an API key, which a plain form cannot send */
  readonly needsKey: boolean
}

/** The first page: the models, an upload form, and the API formats with examples. */
export function homePage(site: Site, data: HomePageData): string {
  const { models, dialects, origin } = data
  const pad = padPath(site)
  const main = html`<div class="stack stack-wide">
<div class="hero">
<div class="stack">
<h1>What is in the picture?</h1>
<p class="lead">Tandem runs image-classification models on this machine. Choose a picture here, or send one from a program.</p>
<div class="row">${site.classifies && html`<a class="button button-main" href="/vgg">Classify pictures</a> `}${pad !== undefined && html`<a class="button" href="${pad}">Draw a digit</a> `}<a class="button" href="/docs">Read the API</a></div>
</div>
${onePicture(data)}
</div>
<section class="stack" aria-labelledby="models-title">
<h2 id="models-title">Models</h2>
<ul class="grid" id="models">${models.map(modelCard)}</ul>
<p class="visually-hidden" role="status" id="said"></p>
</section>
<section class="stack" aria-labelledby="dialects-title">
<div class="stack stack-tight"><h2 id="dialects-title">${capital(inWords(dialects.length))} API formats</h2>
<p class="muted">Clients of ${inWords(dialects.length)} older services work here unchanged. Each format has its own routes and fields. The first format is also Tandem’s own.</p></div>
<div class="dialects">${dialects.map((one) => dialect(one, origin))}</div>
</section>
<p class="row"><a href="/docs">All routes, parameters and answers</a> <a href="/openapi.json">OpenAPI document</a> <a href="/status">Status of the service</a></p>
</div>`
  return layout(site, {
    title: 'Image classification',
    main,
    path: '/',
    styles: ['home.css'],
    scripts: ['home.js'],
  })
}

/** A number up to ten as a word. */
function inWords(number: number): string {
  return NUMBERS[number] ?? String(number)
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1)
}

function onePicture({ upload: { model, missing }, notice, needsKey, origin }: HomePageData): Html {
  if (model === undefined) return noPicture(missing)
  return needsKey ? wayToKey(`${origin}/${model}`) : uploadForm(notice, model)
}

/** Stands in place of the form: without a model, the form would only lead to an error. */
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
<p>This service requires a key. The page of a model asks for the key when you send the first picture, and keeps the key until you close the tab.</p>
<div class="row"><a class="button" href="/vgg">Choose a picture</a></div>
<noscript><p class="small">Without JavaScript, a browser cannot send a key. This command can:</p>
<pre class="code wraps" tabindex="0" role="region" aria-label="Command with a key"><code>curl -H "X-Api-Key: $API_KEY" --data-binary @photo.jpg ${address}</code></pre></noscript>
</section>`
}

function modelCard(model: ModelState): Html {
  const { name, progress, error } = model
  return html`<li class="card stack stack-tight model" data-model="${name}">
<div class="row model-name"><h3><a href="/${name}">${name}</a></h3>${statePill(model)}</div>
<p class="small muted" data-part="word">${modelWord(model)}</p>
<progress max="1" value="${progress?.fraction ?? 0}" aria-label="Loading progress of ${name}"${!hasBar(model) && html` hidden`}></progress>
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

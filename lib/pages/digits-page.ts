import { readingOf, timingText } from '../../public/digit-words.js'
import { percent } from '../../public/figure-words.js'
import { bar } from './figures.ts'
import { type Html, html } from './html.ts'
import { keyDialog, keyNotice } from './key-dialog.ts'
import { layout, padPath, type Site } from './layout.ts'
import type { ModelPageData } from './model-page.ts'
import { loadingNotice, statePill } from './model-status.ts'
import { PUBLIC_FILES } from './public-files.ts'
import { type Result, reportedFields } from './result-card.ts'

const DIGITS = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'] as const
const EXAMPLE = 'digits-example.png'
/** All ten guesses, because each digit has a bar. */
const TOP = DIGITS.length

/** The page with the pad. Without JavaScript, the page is a form for a picture of a digit. */
export function digitsPage(site: Site, data: ModelPageData): string {
  const { path, model, maxBytes, result, problem } = data
  const main = html`<div class="stack stack-wide" id="digits" data-model="${model.name}" data-path="${path}?top=${TOP}" data-max-bytes="${maxBytes}">
<div class="stack stack-tight">
<div class="row"><h1>Which digit is it?</h1><span id="state">${statePill(model)}</span>${model.device && html`<span class="muted small">${model.name} on ${model.device}</span>`}</div>
<p class="lead">Draw one digit, or show a picture of one.</p>
</div>
${loadingNotice(model)}
${
  problem &&
  html`<div class="notice notice-bad" role="alert"><p>${problem.message}</p>
<p class="small muted"><code>${problem.code}</code> · request <code>${problem.requestId}</code></p></div>`
}
<p class="notice notice-bad" id="problem" role="alert" hidden></p>
<div class="desk">
${pad(result)}
${reading(data)}
${picture(data)}
</div>
${programs(data)}
<p class="visually-hidden" role="status" id="said"></p>
${keyDialog()}
</div>`
  return layout(site, {
    title: titleOf(result, model.name),
    path,
    section: padPath(site) ?? path,
    styles: ['digits.css'],
    scripts: ['digits.js'],
    main,
  })
}

function titleOf(result: Result | undefined, model: string): string {
  if (!result) return 'Digits'
  const { digit, word } = readingOf(result.guesses ?? [])
  return digit === undefined ? word : `${digit}, read by ${model}`
}

function pad(result: Result | undefined): Html {
  const image = result?.image
  return html`<section class="card pad" aria-labelledby="pad-title">
<h2 class="visually-hidden" id="pad-title">The digit</h2>
<div class="paper${!image && html` paper-empty`}" id="paper">
<canvas id="pad" width="560" height="560" tabindex="0" role="application" aria-label="Pad to draw a digit on" aria-describedby="keys"></canvas>
<img id="picture" alt="The picture that is read"${image ? html` src="${image}"` : html` hidden`}>
</div>
<div class="row tools">
<button type="button" class="button button-small" id="undo" disabled>Undo</button>
<button type="button" class="button button-small" id="clear" disabled>Clear</button>
</div>
<details class="small tools-block"><summary>Draw with the keyboard</summary>
<p id="keys">Focus the pad. The arrow keys move the pen, and Shift makes the steps larger. Space puts the pen down and lifts the pen. Ctrl+Z or Backspace removes the last stroke. Delete clears the pad.</p>
</details>
</section>`
}

function picture({ path, origin, needsKey }: ModelPageData): Html {
  const example = PUBLIC_FILES.url(EXAMPLE)
  return html`<form class="card stack stack-tight picture" id="form" method="post" action="${path}?top=${TOP}" enctype="multipart/form-data">
${needsKey && keyNotice(`curl -H "X-Api-Key: $API_KEY" --data-binary @seven.png ${origin}${path}`)}
<label class="field"><span>A picture of a digit<span class="tools-word"> (or drop or paste one)</span></span><input class="input" id="file" name="image" type="file" accept="image/*"></label>
<p class="small muted">Any size, dark on light or light on dark.</p>
<div class="row">
<button class="button" id="send">Read the digit</button>
<a class="example" id="example" href="${example}"><img src="${example}" alt="" width="40" height="40"> <span>Example</span></a>
</div>
</form>`
}

function reading({ model, result }: ModelPageData): Html {
  const guess = result?.guesses?.[0]
  const { digit: best, word } = result
    ? readingOf(result.guesses ?? [])
    : { digit: undefined, word: 'Nothing drawn yet' }
  const share = new Map(result?.guesses?.map(({ label, probability }) => [label, probability]))
  return html`<section class="card reading" aria-labelledby="reading-title">
<h2 class="visually-hidden" id="reading-title">The reading</h2>
<p class="best"><span class="best-digit" id="best">${best ?? '?'}</span> <span class="muted number" id="best-share">${word}</span></p>
<ol class="plain bars" id="bars">
${DIGITS.map(
  (
    digit,
  ) => html`<li${digit === best && html` class="is-best"`} data-digit="${digit}"><span class="bars-digit number">${digit}</span>${bar(share.get(digit) ?? 0)}<span class="bars-share number">${result ? percent(share.get(digit) ?? 0) : '–'}</span></li>
`,
)}</ol>
<p class="small muted number" id="timing">${result && timingText(result.timing)}</p>
<form class="wrong" id="wrong" method="post" action="/feedback"${!guess && html` hidden`}>
${reportedFields({ id: result?.id ?? '', model: model.name, prediction: guess?.name ?? '' })}
<fieldset class="stack stack-tight"><legend class="small">Wrong? Choose the right digit:</legend>
<div class="digits-row">${DIGITS.map((digit) => html`<button class="button button-small number" name="report" value="${digit}">${digit}</button>`)}</div></fieldset>
</form>
<p class="small" id="thanks" tabindex="-1" hidden>Thanks for your feedback.</p>
</section>`
}

function programs({ origin, path, model }: ModelPageData): Html {
  return html`<section class="stack" aria-labelledby="programs-title">
<h2 id="programs-title">From a program</h2>
<div class="programs">
<div class="stack stack-tight">
<p>The ten digits with their probabilities, most likely first:</p>
<pre class="code wraps" data-copy tabindex="0" role="region" aria-label="Command for the ten digits"><code>curl --data-binary @seven.png ${origin}${path}</code></pre>
<pre class="code wraps"><code>{"model":"${model.name}","predictions":[{"index":7,"label":"7","name":"7","full":"7","probability":0.9994},…],"timing":{…}}</code></pre>
</div>
<div class="stack stack-tight">
<p>The format of deeplearning_flask, from 0 to 9:</p>
<pre class="code wraps" data-copy tabindex="0" role="region" aria-label="Command for deeplearning_flask"><code>curl -F image=@seven.png ${origin}/predictlabel</code></pre>
<pre class="code wraps"><code>{"most_probable_label":"7","predictions":[{"label":"0","probability":"1.3920588e-08"},…],"success":true}</code></pre>
</div>
</div>
</section>`
}

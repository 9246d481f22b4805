import { featureText, milliseconds, percent, shareWriter } from '../../public/figure-words.js'
import type { Guess } from '../models/guess.ts'
import { bar, splitBar } from './figures.ts'
import { type Html, html } from './html.ts'

export interface Result {
  /** the heading: the URL, or words for an upload */
  readonly name: string
  /** the address of the stored picture, as long as the service keeps the picture */
  readonly image: string | undefined
  /** undefined when the model does not answer with labels */
  readonly guesses: readonly Guess[] | undefined
  readonly timing: {
    readonly queue: number
    readonly prepare: number
    readonly predict: number
    readonly total: number
    readonly cached?: true
  }
  /** the JSON that programs get */
  readonly answer: object
  readonly model: string
  /** request id, which a report names */
  readonly id: string
  /** the command that gives the same answer */
  readonly curl: string
}

/** One picture with its answer, for a browser without JavaScript. */
export function resultCard({ name, image, guesses, timing, answer, model, id, curl }: Result): Html {
  return html`<article class="card result">
<div class="result-picture">${image !== undefined && html`<img src="${image}" alt="${name}">`}</div>
<div class="result-body">
<h3 class="result-name">${name}</h3>
${guesses?.length ? guessList(guesses) : html`<pre class="code wraps"><code>${plainAnswer(answer)}</code></pre>`}
${timingLine(timing)}
${guesses && reportForm({ id, model, prediction: guesses[0]?.name ?? '' })}
<details class="small"><summary>JSON and curl command</summary>
<pre class="code wraps" tabindex="0" role="region" aria-label="Answer as JSON"><code>${'features' in answer ? JSON.stringify(answer) : JSON.stringify(answer, null, 2)}</code></pre>
<pre class="code wraps" tabindex="0" role="region" aria-label="Command"><code>${curl}</code></pre>
</details>
</div>
</article>`
}

/** The same parts, empty. public/card.js fills them in. */
export function cardTemplates(): Html {
  return html`<template id="card-template"><li><article class="card result">
<div class="result-picture"></div>
<div class="result-body">
<div class="result-head"><h3 class="result-name"></h3><button type="button" class="result-remove" data-do="remove" aria-label="Remove"><span aria-hidden="true">×</span></button></div>
<p class="result-state" data-part="state"></p>
<div class="stack stack-tight" data-part="answer" hidden>
<ol class="guesses plain" data-part="guesses"></ol>
${timingLine({ queue: 0, prepare: 0, predict: 0, total: 0 })}
</div>
<div class="row result-actions" data-part="actions" hidden>
<button type="button" class="button button-small" data-do="again">Try again</button>
<button type="button" class="button button-small" data-do="report" aria-expanded="false">This is wrong</button>
<button type="button" class="button button-small" data-do="curl">Copy as curl</button>
<button type="button" class="button button-small" data-do="json">Copy JSON</button>
<button type="button" class="button button-small" data-do="save">Save JSON</button>
</div>
<div data-part="report" hidden>${reportForm({ id: '', model: '', prediction: '' })}</div>
</div>
</article></li></template>
<template id="guess-template">${guessItem({ label: '', probability: 0 })}</template>`
}

/** The answer that a report is about. The service forgets model and prediction after an hour, so the form sends both. */
export interface ReportedAnswer {
  readonly id: string
  readonly model: string
  readonly prediction: string
}

export function reportedFields(reported: ReportedAnswer): Html[] {
  return Object.entries(reported).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`,
  )
}

function plainAnswer(answer: object): string {
  const { shape, features } = answer as { shape?: readonly number[]; features?: readonly number[] }
  return shape && features ? featureText(shape, features) : JSON.stringify(answer, null, 2)
}

function guessList(guesses: readonly Guess[]): Html {
  const write = shareWriter(guesses)
  return html`<ol class="guesses plain">${guesses.map((guess) => guessItem(guess, write))}</ol>`
}

function guessItem({ label, probability }: Pick<Guess, 'label' | 'probability'>, write = percent): Html {
  return html`<li class="guess"><span class="guess-label" title="${label}">${label}</span><span class="guess-share number">${write(probability)}</span>${bar(probability)}</li>
`
}

function timingLine({ queue, prepare, predict, total, cached }: Result['timing']): Html {
  const parts = { queue, prepare, predict }
  return html`<div class="timing small muted${cached && ' is-known'}">
${splitBar(Object.values(parts))}
<p class="row number">${Object.entries(parts).map(
    ([stage, ms]) =>
      html`<span class="stage stage-${stage}">${stage} <b data-ms="${stage}">${milliseconds(ms)}</b></span> `,
  )}<span>total <b data-ms="total">${milliseconds(total)}</b></span><span class="timing-known">from the cache</span></p>
</div>`
}

function reportForm(reported: ReportedAnswer): Html {
  return html`<form class="report" method="post" action="/feedback">
${reportedFields(reported)}
<label class="field"><span>Wrong? What does the picture show?</span><input class="input" name="report" required maxlength="500" autocomplete="off"></label>
<button class="button">Send the right label</button>
</form>`
}

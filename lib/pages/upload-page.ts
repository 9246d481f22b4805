import { bar } from './figures.ts'
import { html } from './html.ts'
import { layout, type Site } from './layout.ts'
import { reportedFields } from './result-card.ts'

export interface UploadPageData {
  readonly image: string | undefined
  readonly prediction: string
  readonly score: number
  /** further guesses, when the request asked for them */
  readonly others: readonly { readonly name: string; readonly score: number }[]
  readonly seconds: number
  readonly id: string
  readonly model: string
}

/** The answer of image_classifier to its form. Clients look for these very words and fields. */
export function uploadPage(site: Site, data: UploadPageData): string {
  const { image, prediction, score, others, seconds, id, model } = data
  const main = html`<div class="stack">
<h1>${prediction.replaceAll('_', ' ')}</h1>
<article class="card card-roomy upload">
${image !== undefined && html`<img class="upload-image" src="${image}" alt="The uploaded image">`}
<div class="stack">
<dl class="facts">
<dt>Predicted class</dt><dd>${prediction}</dd>
<dt>Score</dt><dd class="number">${score}${bar(score)}</dd>
${others.map(
  (other) => html`<dt>${other.name}</dt><dd class="number">${other.score}${bar(other.score)}</dd>
`,
)}<dt>Process time</dt><dd class="number">${seconds.toFixed(3)} s</dd>
<dt>Model</dt><dd><a href="/${model}">${model}</a></dd>
</dl>
<form class="stack stack-tight" method="post" action="/feedback">
${reportedFields({ id, model, prediction })}
<label class="field"><span>Wrong? What does the picture show?</span><input class="input" name="report" required maxlength="500" autocomplete="off"></label>
<div><button class="button">Report incorrect answer</button></div>
</form>
</div>
</article>
<p><a href="/">Classify another picture</a></p>
</div>`
  return layout(site, { title: prediction, main, styles: ['home.css'] })
}

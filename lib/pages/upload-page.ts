import { html } from '../html.ts'
import { layout } from './layout.ts'

export interface UploadPageData {
  readonly image: string | undefined
  readonly prediction: string
  readonly score: number
  readonly seconds: number
  readonly id: string
  readonly model: string
}

export function uploadPage({ image, prediction, score, seconds, id }: UploadPageData): string {
  const main = html`<h1>${prediction}</h1>
${image !== undefined && html`<img src="${image}" alt="The uploaded image">`}
<dl>
<dt>Predicted class</dt><dd>${prediction}</dd>
<dt>Score</dt><dd>${score}</dd>
<dt>Process time</dt><dd>${seconds.toFixed(3)} s</dd>
</dl>
<form method="post" action="/feedback">
<input type="hidden" name="id" value="${id}">
<label>What is it? <input name="report" required></label>
<button>Report incorrect answer</button>
</form>
<p><a href="/">Another image</a></p>`
  return layout({ title: prediction, main })
}

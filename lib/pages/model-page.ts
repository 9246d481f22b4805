import { html } from '../html.ts'
import { layout } from './layout.ts'

export interface ModelPageData {
  readonly path: string
  readonly model: string
  readonly models: readonly string[]
  readonly labels: readonly string[]
  readonly maxBytes: number
  readonly result?: ModelPageResult
}

export interface ModelPageResult {
  /** as in the JSON answer */
  readonly answer: object
  /** request id, under which it can be reported */
  readonly id: string
  /** where the image is shown from, while it is kept */
  readonly image: string | undefined
  /** the address that was given */
  readonly url: string
}

export function modelPage({ path, model, result }: ModelPageData): string {
  const main = html`<h1>${model}</h1>
<form method="post" action="${path}" enctype="multipart/form-data">
<label>Address of an image <input name="url" type="text" value="${result?.url}"></label>
<label>or a file <input name="image" type="file" accept="image/*"></label>
<button>Classify</button>
</form>
${result && html`<img src="${result.image}" alt=""><pre>${JSON.stringify(result.answer, null, 2)}</pre>`}`
  return layout({ title: model, main })
}

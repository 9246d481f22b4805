import type { DialectModels } from '../dialect-models.ts'
import { html } from '../html.ts'
import { layout } from './layout.ts'

export interface HomePageData {
  readonly models: readonly string[]
  readonly dialects: DialectModels
  readonly notice: string | undefined
}

export function homePage({ models, notice }: HomePageData): string {
  const main = html`<h1>Tandem</h1>
${notice !== undefined && html`<p role="alert">${notice}</p>`}
<ul>${models.map((model) => html`<li><a href="/${model}">${model}</a></li>`)}</ul>
<form method="post" action="/" enctype="multipart/form-data">
<label>An image <input name="file" type="file" accept="image/*"></label>
<button>Classify</button>
</form>
<p><a href="/docs">API</a></p>`
  return layout({ title: 'Image classification', main })
}

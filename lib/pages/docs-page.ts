import { html } from '../html.ts'
import type { Operation } from '../operation.ts'
import { layout } from './layout.ts'

/** The operations as a page; `origin` is where the reader has it from, for examples that can be pasted. */
export function docsPage(operations: readonly Operation[], origin: string): string {
  const groups = [...new Set(operations.map(({ group }) => group))]
  const main = html`<h1>API</h1>
<p>For programs: <a href="/openapi.json">openapi.json</a></p>
${groups.map(
  (group) => html`<section><h2>${group}</h2>
${operations.filter((operation) => operation.group === group).map((operation) => entry(operation, origin))}
</section>`,
)}`
  return layout({ title: 'API', main })
}

function entry({ method, paths, summary, example, answers, errors }: Operation, origin: string) {
  const statuses = [...Object.keys(answers), ...errors].join(', ')
  return html`<article><h3><code>${method.toUpperCase()} ${paths.join(' · ')}</code></h3>
<p>${summary}. Answers with ${statuses}.</p>
${example !== undefined && html`<pre>${example.replaceAll('$URL', origin)}</pre>`}</article>`
}

import { STATUS_CODES } from 'node:http'
import { z } from 'zod'
import type { Content, Operation } from '../http/operation.ts'
import { type Html, html } from './html.ts'
import { layout, type Site } from './layout.ts'
import { type JsonSchema, schemaText } from './schema-text.ts'

/** These groups come first. The others follow in the order in which they were registered. */
const FIRST_GROUPS: readonly string[] = ['Models']

/** The operations as a page. The examples use `origin`, the address of this service, so that they can be pasted. */
export function docsPage(site: Site, operations: readonly Operation[], origin: string): string {
  const groups = groupsOf(operations)
  const main = html`<div class="docs">
<nav class="contents" aria-label="Contents"><p class="small muted">On this page</p>
<ul class="plain">${groups.map(
    ([group]) => html`<li><a href="#${slug(group)}">${group}</a></li>
`,
  )}</ul></nav>
<div class="stack stack-wide docs-body">
<div class="stack">
<h1>API</h1>
<p class="lead">Every route, with its parameters and answers. <a href="/openapi.json">openapi.json</a> has the same for programs.</p>
<ul class="docs-notes">
<li>Every answer has an <code>X-Request-Id</code>. Every error has a code in <code>X-Error-Code</code>, and a message in the body.</li>
<li><code>Retry-After</code> says after how many seconds a retry can succeed.</li>
<li>A service with keys takes <code>Authorization: Bearer …</code> or <code>X-Api-Key: …</code></li>
</ul>
</div>
${groups.map(
  ([
    group,
    members,
  ]) => html`<section class="stack" aria-labelledby="${slug(group)}"><h2 id="${slug(group)}">${group}</h2>
${members.map((operation) => entry(operation, origin))}
</section>`,
)}
</div></div>`
  return layout(site, {
    title: 'API',
    main,
    path: '/docs',
    styles: ['docs.css'],
    scripts: ['copy-buttons.js'],
  })
}

function groupsOf(operations: readonly Operation[]): [string, Operation[]][] {
  const groups = new Map<string, Operation[]>(FIRST_GROUPS.map((group) => [group, []]))
  for (const operation of operations) {
    groups.set(operation.group, [...(groups.get(operation.group) ?? []), operation])
  }
  return [...groups].filter(([, members]) => members.length > 0)
}

function entry(operation: Operation, origin: string): Html {
  const { method, paths, summary, query, body, answers, errors, errorShape, example } = operation
  const title = `${method.toUpperCase()} ${paths.join(', ')}`
  const failures = [...new Set(errors.filter((status) => !(status in answers)))].sort(
    (one, other) => one - other,
  )
  return html`<article class="card operation">
<h3><span class="method method-${method}">${method.toUpperCase()}</span> ${paths.map((path) => html`<code>${path}</code> `)}</h3>
<p>${summary}.</p>
${parameters(paths[0] ?? '', query)}
${body && html`<h4>Body</h4>${contents(body, 'input', title)}`}
<h4>Answers</h4>
<dl class="answers">${Object.entries(answers).map(
    ([
      status,
      { means, content },
    ]) => html`<dt class="number">${status}</dt><dd><p>${means}</p>${content && contents(content, 'output', title)}</dd>
`,
  )}${
    failures.length > 0 &&
    html`<dt class="number">${failures.join(' ')}</dt><dd><p>${failures.map((status) => STATUS_CODES[status]).join(', ')}.</p>${contents({ 'application/json': errorShape.schema }, 'output', title)}</dd>`
  }</dl>
${example !== undefined && html`<pre class="code" data-copy tabindex="0" role="region" aria-label="Example of ${title}"><code>${example.replaceAll('$URL', origin)}</code></pre>`}
</article>
`
}

function parameters(path: string, query: z.ZodType): Html | false {
  const inPath = [...path.matchAll(/:(\w+)/g)].map(([, name]) => [name ?? '', 'path', '', 'string'] as const)
  const { properties = {} } = jsonSchema(query, 'output')
  const inQuery = Object.entries(properties).map(
    ([name, { description = '', ...schema }]) => [name, 'query', description, schemaText(schema)] as const,
  )
  const all = [...inPath, ...inQuery]
  if (all.length === 0) return false
  return html`<h4>Parameters</h4>
<dl class="parameters">${all.map(
    ([
      name,
      where,
      means,
      type,
    ]) => html`<dt><code>${name}</code></dt><dd><span class="muted">${where}, ${type}.</span> ${means}</dd>
`,
  )}</dl>`
}

function contents(content: Content, io: 'input' | 'output', title: string): Html[] {
  return Object.entries(content).map(([type, schema]) => {
    if (typeof schema === 'string')
      return html`<p class="content"><code>${type}</code> <span class="muted">${schema}</span></p>`
    return html`<details class="content"><summary><code>${type}</code></summary>
<pre class="code" tabindex="0" role="region" aria-label="${type} of ${title}"><code>${schemaText(jsonSchema(schema, io))}</code></pre></details>`
  })
}

function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
  // JsonSchema has every keyword that zod writes for the schemas of the API.
  return z.toJSONSchema(schema, { io, unrepresentable: 'any' }) as JsonSchema
}

function slug(group: string): string {
  return group.toLowerCase().replace(/[^a-z0-9]+/g, '-')
}

import type { ShownError } from '../http/errors.ts'
import { html } from './html.ts'
import { layout, type Site } from './layout.ts'

/** What it is in plain words, for those who do not know the numbers. */
const TITLES: Readonly<Record<number, string>> = {
  401: 'This needs a key',
  404: 'There is nothing here',
  405: 'That does not work here',
  413: 'That is too large',
  429: 'That was too much at once',
  503: 'Not at this moment',
  504: 'That took too long',
}

export function errorPage(site: Site, { status, code, message, requestId }: ShownError): string {
  const title = TITLES[status] ?? (status < 500 ? 'That did not work' : 'Something went wrong')
  const main = html`<div class="stack">
<p class="error-status number" aria-hidden="true">${status}</p>
<h1>${title}</h1>
<p class="lead wraps" role="alert">${message}</p>
<p class="row"><a class="button button-main" href="/">Home</a> <a class="button" href="/docs">What can be asked for</a></p>
<p class="small muted">${status} · <code>${code}</code> · request <code class="wraps">${requestId}</code></p>
</div>`
  return layout(site, { title: `${status} ${title}`, main })
}

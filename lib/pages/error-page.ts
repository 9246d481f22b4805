import type { ShownError } from '../http/errors.ts'
import { html } from './html.ts'
import { layout, type Site } from './layout.ts'

/** Plain words, because many users do not know the status codes. */
const TITLES: Readonly<Record<number, string>> = {
  401: 'A key is required',
  404: 'Not found',
  405: 'Method not allowed',
  413: 'The request is too large',
  429: 'Too many requests',
  503: 'Not available right now',
  504: 'The answer took too long',
}

export function errorPage(site: Site, { status, code, message, requestId }: ShownError): string {
  const title = TITLES[status] ?? (status < 500 ? 'The request failed' : 'Something went wrong')
  const main = html`<div class="stack">
<p class="error-status number" aria-hidden="true">${status}</p>
<h1>${title}</h1>
<p class="lead wraps" role="alert">${message}</p>
<p class="row"><a class="button button-main" href="/">Home</a> <a class="button" href="/docs">Read the API</a></p>
<p class="small muted">${status} · <code>${code}</code> · request <code class="wraps">${requestId}</code></p>
</div>`
  return layout(site, { title: `${status} ${title}`, main })
}

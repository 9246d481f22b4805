import { html } from '../html.ts'
import { layout } from './layout.ts'

export interface ErrorPageData {
  readonly status: number
  readonly code: string
  readonly message: string
  readonly requestId: string
}

export function errorPage({ status, code, message, requestId }: ErrorPageData): string {
  const main = html`<h1>${status}</h1>
<p role="alert">${message}</p>
<p><code>${code}</code> · <code>${requestId}</code></p>`
  return layout({ title: String(status), main })
}

import { html } from '../html.ts'
import { layout } from './layout.ts'

export function feedbackPage(): string {
  return layout({
    title: 'Feedback',
    main: html`<h1>Thanks for your feedback</h1><p><a href="/">Home</a></p>`,
  })
}

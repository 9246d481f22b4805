import { html } from './html.ts'
import { layout, type Site } from './layout.ts'

export function feedbackPage(site: Site): string {
  return layout(site, {
    title: 'Feedback',
    main: html`<div class="stack">
<h1>Thanks for your feedback</h1>
<p class="lead">What people report as wrong is kept beside the answer that was given, for whoever trains the next model.</p>
<p class="row"><a class="button button-main" href="/vgg">Classify another picture</a> <a class="button" href="/">Home</a></p>
</div>`,
  })
}

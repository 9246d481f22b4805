import { html } from './html.ts'
import { layout, type Site } from './layout.ts'

/** Thanks the user. The note is for a report whose answer the service no longer knows. */
export function feedbackPage(site: Site, note?: string): string {
  return layout(site, {
    title: 'Feedback',
    main: html`<div class="stack">
<h1>Thanks for your feedback</h1>
<p class="lead">Reports are kept together with the answers, to train the next model.</p>
${note !== undefined && html`<p class="notice">${note}</p>`}
<p class="row">${site.classifies && html`<a class="button button-main" href="/vgg">Classify another picture</a> `}<a class="button" href="/">Home</a></p>
</div>`,
  })
}

/** A form to report a wrong answer, and the command for programs. */
export function reportPage(site: Site, example: string): string {
  return layout(site, {
    title: 'Report a wrong answer',
    main: html`<div class="stack">
<h1>Report a wrong answer</h1>
<p class="lead">Reports are kept together with the answers, to train the next model. When your report is recorded, the next page says “Thanks for your feedback”.</p>
<form class="card card-roomy stack" method="post" action="/feedback">
<label class="field"><span>What does the picture show?</span><input class="input" name="report" required maxlength="500" autocomplete="off"></label>
<label class="field"><span>Request id of the answer (header X-Request-Id)</span><input class="input" name="id" maxlength="64" autocomplete="off" spellcheck="false"></label>
<div><button class="button">Send report</button></div>
</form>
<p>From a program:</p>
<pre class="code wraps" tabindex="0" role="region" aria-label="Command"><code>${example}</code></pre>
</div>`,
  })
}

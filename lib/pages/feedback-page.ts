import { html } from './html.ts'
import { layout, type Site } from './layout.ts'

/** Says thanks; `note` where the answer that was reported is not known any more. */
export function feedbackPage(site: Site, note?: string): string {
  return layout(site, {
    title: 'Feedback',
    main: html`<div class="stack">
<h1>Thanks for your feedback</h1>
<p class="lead">What people report as wrong is kept beside the answer that was given, for whoever trains the next model.</p>
${note !== undefined && html`<p class="notice">${note}</p>`}
<p class="row">${site.classifies && html`<a class="button button-main" href="/vgg">Classify another picture</a> `}<a class="button" href="/">Home</a></p>
</div>`,
  })
}

/** How to report a wrong answer, with a form to do so. */
export function reportPage(site: Site, example: string): string {
  return layout(site, {
    title: 'Report a wrong answer',
    main: html`<div class="stack">
<h1>Report a wrong answer</h1>
<p class="lead">Thanks for your feedback! It is kept beside the answer that was given, for whoever trains the next model.</p>
<form class="card card-roomy stack" method="post" action="/feedback">
<label class="field"><span>What does the picture show?</span><input class="input" name="report" required maxlength="500" autocomplete="off"></label>
<label class="field"><span>Request id of the answer, from its header X-Request-Id</span><input class="input" name="id" maxlength="64" autocomplete="off" spellcheck="false"></label>
<div><button class="button">Report it</button></div>
</form>
<p>From a program:</p>
<pre class="code wraps" tabindex="0" role="region" aria-label="Command"><code>${example}</code></pre>
</div>`,
  })
}

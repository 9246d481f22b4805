import { type Html, html } from './html.ts'

/** What public/api-key.js asks for a key with. */
export function keyDialog(): Html {
  return html`<dialog id="key-dialog" aria-labelledby="key-title"><form method="dialog" class="stack">
<h2 id="key-title">This service wants a key</h2>
<p class="muted small" id="key-why">It stays in this tab, and is forgotten with it.</p>
<label class="field"><span>API key</span><input class="input" id="key" type="password" autocomplete="off" spellcheck="false"></label>
<div class="row"><button class="button button-main" value="use">Use it</button><button class="button" value="cancel" formnovalidate>Cancel</button></div>
</form></dialog>`
}

/** Said before a form is filled in: without a script the browser cannot send the key with it. */
export function keyNotice(command: string): Html {
  return html`<div class="notice small stack stack-tight">
<p class="scripted">This service wants a key. The page asks for yours with the first picture.</p>
<noscript><p>This service wants a key, which this form can send only with JavaScript. Allow JavaScript for this page, or use a command:</p>
<pre class="code wraps" tabindex="0" role="region" aria-label="Command with a key"><code>${command}</code></pre></noscript>
</div>`
}

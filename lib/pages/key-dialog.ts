import { type Html, html } from './html.ts'

/** The dialog in which public/api-key.js asks for a key. */
export function keyDialog(): Html {
  return html`<dialog id="key-dialog" aria-labelledby="key-title"><form method="dialog" class="stack">
<h2 id="key-title">This service requires a key</h2>
<p class="muted small" id="key-why">The key is kept until you close this tab.</p>
<label class="field"><span>API key</span><input class="input" id="key" type="password" autocomplete="off" spellcheck="false"></label>
<div class="row"><button class="button button-main" value="use">Use this key</button><button class="button" value="cancel" formnovalidate>Cancel</button></div>
</form></dialog>`
}

/** Shown above a form, before the user fills it in: without JavaScript, the form cannot send a key. */
export function keyNotice(command: string): Html {
  return html`<div class="notice small stack stack-tight">
<p class="scripted">This service requires a key. The page asks for the key when you send the first picture.</p>
<noscript><p>This service requires a key, and this form can send a key only with JavaScript. Allow JavaScript for this page, or use this command:</p>
<pre class="code wraps" tabindex="0" role="region" aria-label="Command with a key"><code>${command}</code></pre></noscript>
</div>`
}

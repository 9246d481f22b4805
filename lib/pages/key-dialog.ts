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

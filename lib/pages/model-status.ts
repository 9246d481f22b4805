import { hasBar, loadingWords, stateWord } from '../../public/state-words.js'
import type { ModelState } from '../models/model-state.ts'
import { type Html, html } from './html.ts'

export function statePill({ state }: Pick<ModelState, 'state'>): Html {
  return html`<span class="pill pill-${state}" data-state="${state}">${stateWord(state)}</span>`
}

/** Says how far the model has loaded, or why it failed. For a ready model the notice is hidden, for scripts to show later. */
export function loadingNotice(model: ModelState): Html {
  const { name, state, progress } = model
  const { title, word, isBad } = loadingWords(name, model)
  return html`<div class="notice loading${isBad && ' notice-bad'}" id="loading"${state === 'ready' && html` hidden`}>
<p class="loading-title" id="loading-title">${title}</p>
<p id="loading-word" class="small">${word}</p>
<progress id="loading-bar" max="1" value="${progress?.fraction ?? 0}" aria-label="Loading progress of ${name}"${!hasBar(model) && html` hidden`}></progress>
${state !== 'ready' && html`<noscript><p class="small">Reload this page to see the progress.</p></noscript>`}
</div>`
}

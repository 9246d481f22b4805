import { hasBar, loadingWords, stateWord } from '../../public/state-words.js'
import type { ModelState } from '../models/model-state.ts'
import { type Html, html } from './html.ts'

export function statePill({ state }: Pick<ModelState, 'state'>): Html {
  return html`<span class="pill pill-${state}" data-state="${state}">${stateWord(state)}</span>`
}

/** How far a model is that cannot answer yet, or why not; it stays in the page, hidden, once all is well. */
export function loadingNotice(model: ModelState): Html {
  const { name, state, progress } = model
  const { title, word, isBad } = loadingWords(name, model)
  return html`<div class="notice loading${isBad && ' notice-bad'}" id="loading"${state === 'ready' && html` hidden`}>
<p class="loading-title" id="loading-title">${title}</p>
<p id="loading-word" class="small">${word}</p>
<progress id="loading-bar" max="1" value="${progress?.fraction ?? 0}" aria-label="How far ${name} is"${!hasBar(model) && html` hidden`}></progress>
${state !== 'ready' && html`<noscript><p class="small">Load this page anew to see how far it is by then.</p></noscript>`}
</div>`
}

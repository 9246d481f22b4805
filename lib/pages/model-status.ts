import type { ModelState } from '../models/model-state.ts'
import { type Html, html } from './html.ts'

/** public/readiness.js writes the same words when a state changes. */
const WORDS: Readonly<Record<string, string>> = {
  idle: 'starting',
  closing: 'ending',
  closed: 'ended',
}

export function statePill({ state }: Pick<ModelState, 'state'>): Html {
  const word = WORDS[state] ?? state
  return html`<span class="pill pill-${state}" data-state="${state}">${word}</span>`
}

function isLoading({ state }: Pick<ModelState, 'state'>): boolean {
  return state === 'starting' || state === 'idle'
}

/** A model that has to wait for its weights says why in a whole sentence, and there is nothing to measure. */
export function hasBar(model: Pick<ModelState, 'state' | 'progress'>): boolean {
  return isLoading(model) && model.progress?.word.endsWith('.') !== true
}

/** How far a model is that cannot answer yet, or why not; it stays in the page, hidden, once all is well. */
export function loadingNotice(model: ModelState): Html {
  const { name, state, progress } = model
  const { title, word, isBad } = loadingWords(model)
  return html`<div class="notice loading${isBad && ' notice-bad'}" id="loading"${state === 'ready' && html` hidden`}>
<p class="loading-title" id="loading-title">${title}</p>
<p id="loading-word" class="small">${word}</p>
<progress id="loading-bar" max="1" value="${progress?.fraction ?? 0}" aria-label="How far ${name} is"${!hasBar(model) && html` hidden`}></progress>
${state !== 'ready' && html`<noscript><p class="small">Load this page anew to see how far it is by then.</p></noscript>`}
</div>`
}

/** As public/readiness.js says it. */
function loadingWords(model: ModelState) {
  const { name, state, progress, error } = model
  const why = error?.message ?? 'The log of the service says why.'
  if (state === 'failed') {
    const word = `${why} It is tried again from time to time; the log has the details.`
    return { title: `${name} could not be loaded`, word, isBad: true }
  }
  if (state === 'restarting') return { title: `${name} is being started again`, word: why, isBad: true }
  const does = isLoading(model) && !hasBar(model) ? 'waits for its weights' : 'is being loaded'
  return { title: `${name} ${does}`, word: progress?.word ?? 'starting', isBad: false }
}

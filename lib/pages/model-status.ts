import { hasBar, loadingWords, stateWord } from '../../public/state-words.js'
import type { ModelState } from '../models/model-state.ts'
import { type Html, html } from './html.ts'

export function statePill({ state }: Pick<ModelState, 'state'>): Html {
  return html`<span class="pill pill-${state}" data-state="${state}">${stateWord(state)}</span>`
}

/**
 * Says how far the model has loaded, or why it failed. For a ready model the notice is hidden, for scripts to show later.
 * One of the stand-ins, of which the ready one comes first, is offered meanwhile.
 */
export function loadingNotice(model: ModelState, standIns: readonly StandIn[] = []): Html {
  const [first] = standIns
  const { name, state, progress } = model
  const { title, word, isBad } = loadingWords(name, model)
  return html`<div class="notice loading${isBad && ' notice-bad'}" id="loading"${state === 'ready' && html` hidden`}>
<p class="loading-title" id="loading-title">${title}</p>
<p id="loading-word" class="small">${word}</p>
<progress id="loading-bar" max="1" value="${progress?.fraction ?? 0}" aria-label="Loading progress of ${name}"${!hasBar(model) && html` hidden`}></progress>
${first && standInOffer(first, standIns)}
${state !== 'ready' && html`<noscript><p class="small">Reload this page to see the progress.</p></noscript>`}
</div>`
}

/** Another model for the same subject. */
export interface StandIn {
  readonly name: string
  readonly isReady: boolean
}

function standInOffer({ name, isReady }: StandIn, all: readonly StandIn[]): Html {
  const names = all.map((one) => one.name).join(' ')
  return html`<p class="small" id="stand-in" data-models="${names}"${!isReady && html` hidden`}>Meanwhile, <a href="/${name}">${name}</a> is ready to answer.</p>`
}

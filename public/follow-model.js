import { byId, find } from './page.js'
import { Readiness, setPill } from './readiness.js'
import { say } from './say.js'
import { hasBar, loadingWords } from './state-words.js'

/**
 * Keeps the shown state of the model and the loading notice up to date. The pages of models and of the pad both use this.
 * @param {string} model
 */
export function followModel(model) {
  const pill = find(byId('state'), '.pill')
  const notice = byId('loading')
  const bar = byId('loading-bar', HTMLProgressElement)
  const offer = document.getElementById('stand-in')
  return new Readiness(model, pill.dataset.state ?? 'idle', (its, models) => {
    const { state, progress } = its
    const { title, word, isBad } = loadingWords(model, its)
    setPill(pill, state)
    if (!notice.hidden && state === 'ready') say(`${model} is ready`)
    notice.hidden = state === 'ready'
    notice.classList.toggle('notice-bad', isBad)
    byId('loading-title').textContent = title
    byId('loading-word').textContent = word
    bar.hidden = !hasBar(its)
    bar.value = progress?.fraction ?? 0
    if (offer) offerStandIn(offer, models)
  })
}

/**
 * Names another model for the same subject once that model is ready.
 * @param {HTMLElement} offer
 * @param {Record<string, import('./state-words.js').ModelState>} models
 */
function offerStandIn(offer, models) {
  const ready = (offer.dataset.models ?? '').split(' ').find((name) => models[name]?.state === 'ready')
  offer.hidden = ready === undefined
  if (ready === undefined) return
  const link = find(offer, 'a', HTMLAnchorElement)
  link.textContent = ready
  link.href = `/${ready}`
}

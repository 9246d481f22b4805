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
  return new Readiness(model, pill.dataset.state ?? 'idle', (its) => {
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
  })
}

import { Readiness, setPill } from './readiness.js'
import { say } from './say.js'
import { hasBar, loadingWords } from './state-words.js'

/** Keeps the state of the model and the notice below its name true, on the page of a model and on the pad alike. */
export function followModel(model) {
  const pill = document.getElementById('state').firstElementChild
  const notice = document.getElementById('loading')
  const bar = document.getElementById('loading-bar')
  return new Readiness(model, pill.dataset.state, (its) => {
    const { state, progress } = its
    const { title, word, isBad } = loadingWords(model, its)
    setPill(pill, state)
    if (!notice.hidden && state === 'ready') say(`${model} is ready`)
    notice.hidden = state === 'ready'
    notice.classList.toggle('notice-bad', isBad)
    document.getElementById('loading-title').textContent = title
    document.getElementById('loading-word').textContent = word
    bar.hidden = !hasBar(its)
    bar.value = progress?.fraction ?? 0
  })
}

import './copy-buttons.js'
import { Asker, post } from './digits-asker.js'
import { Pad } from './digits-pad.js'
import { milliseconds, percent, setBar } from './figures.js'
import { loadingWords, Readiness, setPill } from './readiness.js'

const byId = (id) => document.getElementById(id)
const { model, path, maxBytes } = byId('digits').dataset
const bars = [...byId('bars').children]
/** Where the picture stands that is shown instead of the pad; let go when another comes. */
let pictureUrl
/** Whether it is a picture that is read, and not what is drawn; the browser may be unable to show it. */
let hasPicture = !byId('picture').hidden
/** Of what is drawn now, or was a moment ago. */
let latest

const asker = new Asker(path, {
  answered(answer, id, isLast) {
    hideProblem()
    show(answer, id)
    latest = answer
    // What a half-drawn digit looks like is nothing to be told.
    if (isLast && !pad.isDrawing) announce(answer)
  },
  failed(sentence) {
    showUnread('Not read')
    complain(sentence)
  },
  async waits(sentence, code) {
    if (code === undefined) return complain(sentence)
    await readiness.look()
    // Meanwhile nobody may want to know any more.
    if (asker.isDone) return
    // A model that is not ready has a notice of its own.
    if (byId('loading').hidden) complain(sentence)
    else hideProblem()
  },
  rest: () => pad.rest(),
})

const pill = byId('state').firstElementChild
const readiness = new Readiness(model, pill.dataset.state, (its) => {
  const { state, progress } = its
  const notice = byId('loading')
  const { title, word, isBad } = loadingWords(model, its)
  setPill(pill, state)
  if (!notice.hidden && state === 'ready') put(byId('said'), `${model} is ready`)
  notice.hidden = state === 'ready'
  notice.classList.toggle('notice-bad', isBad)
  put(byId('loading-title'), title)
  put(byId('loading-word'), word)
  byId('loading-bar').hidden = isBad
  byId('loading-bar').value = progress?.fraction ?? 0
})

const pad = new Pad(byId('pad'), {
  began() {
    if (hasPicture) clear()
  },
  changed() {
    showTools()
    if (pad.isEmpty) return reset()
    if (latest === undefined) showUnread('Not read yet')
    asker.ask(() => pad.png())
  },
  wantsClear: clear,
  finished() {
    if (!pad.isEmpty && asker.isDone && latest) announce(latest)
  },
  said: (text) => put(byId('said'), text),
})

byId('undo').addEventListener('click', () => {
  pad.undo()
  // A button that is disabled loses the focus, and whoever has only a keyboard the place.
  if (pad.isEmpty) byId('pad').focus()
})
byId('clear').addEventListener('click', () => {
  clear()
  byId('pad').focus()
})
byId('picture').addEventListener('error', hidePicture)
byId('file').addEventListener('change', ({ target }) => read(target.files?.[0]))
byId('form').addEventListener('submit', (event) => {
  event.preventDefault()
  const [file] = byId('file').files
  if (file) read(file)
  else byId('file').click()
})
byId('example').addEventListener('click', async (event) => {
  event.preventDefault()
  read(await (await fetch(event.currentTarget.href)).blob())
})
byId('wrong').addEventListener('submit', report)
document.addEventListener('paste', ({ clipboardData }) => read(imageIn(clipboardData)))
for (const over of ['dragenter', 'dragover']) {
  document.addEventListener(over, (event) => {
    if (!event.dataTransfer?.types.includes('Files')) return
    event.preventDefault()
    byId('paper').classList.add('paper-drop')
  })
}
for (const end of ['dragleave', 'drop']) {
  document.addEventListener(end, () => byId('paper').classList.remove('paper-drop'))
}
document.addEventListener('drop', (event) => {
  if (!event.dataTransfer?.types.includes('Files')) return
  event.preventDefault()
  read(imageIn(event.dataTransfer))
})
// Without a button that sends, a file that was chosen before this ran would wait for ever.
byId('send').hidden = true
// Of the answer to a form that was sent before this ran.
if (hasPicture && byId('picture').complete && byId('picture').naturalWidth === 0) hidePicture()
showTools()
read(byId('file').files?.[0])

function imageIn(data) {
  const files = [...(data?.files ?? [])]
  return files.find(({ type }) => type.startsWith('image/')) ?? files[0]
}

/** A picture instead of the pad. */
function read(file) {
  if (!file) return
  if (file.size > Number(maxBytes)) {
    complain(`The picture has ${file.size} bytes; ${maxBytes} are the most that is taken.`)
    return
  }
  pad.clear()
  reset()
  showUnread('Not read yet')
  const picture = byId('picture')
  URL.revokeObjectURL(pictureUrl)
  pictureUrl = URL.createObjectURL(file)
  picture.src = pictureUrl
  picture.alt = file.name ? `The picture ${file.name}` : 'The picture that is read'
  picture.hidden = false
  hasPicture = true
  showTools()
  asker.ask(() => file)
}

/** The pad again, with nothing on it. */
function clear() {
  pad.clear()
  hasPicture = false
  hidePicture()
  byId('file').value = ''
  reset()
}

function hidePicture() {
  const picture = byId('picture')
  URL.revokeObjectURL(pictureUrl)
  pictureUrl = undefined
  picture.hidden = true
  showTools()
}

function showTools() {
  byId('undo').disabled = pad.isEmpty
  byId('clear').disabled = pad.isEmpty && !hasPicture
  byId('paper').classList.toggle('paper-empty', pad.isEmpty && byId('picture').hidden)
}

function show({ predictions = [], timing }, id) {
  const shares = new Map(predictions.map(({ label, probability }) => [label, probability]))
  const [best] = predictions
  put(byId('best'), best?.label ?? '?')
  put(byId('best-share'), best ? percent(best.probability) : 'No digit')
  for (const bar of bars) {
    const share = shares.get(bar.dataset.digit) ?? 0
    bar.classList.toggle('is-best', bar.dataset.digit === best?.label)
    setBar(bar, share)
    put(bar.querySelector('.bars-share'), percent(share))
  }
  put(byId('timing'), timingText(timing))
  byId('wrong').elements.id.value = id
  byId('wrong').elements.prediction.value = best?.name ?? ''
  byId('wrong').hidden = best === undefined
  byId('thanks').hidden = true
}

/** As lib/pages/digits-page.ts says it. */
function timingText({ total, cached, ...times }) {
  const inAll = `${milliseconds(total)} in the service`
  if (cached) return `${inAll}, kept from when the same came before`
  return `${inAll}: ${['queue', 'prepare', 'predict'].map((stage) => `${stage} ${milliseconds(times[stage])}`).join(', ')}`
}

function announce({ predictions: [best] = [] }) {
  if (best) put(byId('said'), `It reads ${best.label}, ${percent(best.probability)}`)
}

/** As it was before anything was drawn. */
function reset() {
  asker.forget()
  hideProblem()
  put(byId('said'), '')
  showUnread('Nothing drawn yet')
}

/** No reading, and why there is none. */
function showUnread(word) {
  latest = undefined
  put(byId('best'), '?')
  put(byId('best-share'), word)
  put(byId('timing'), '')
  for (const bar of bars) {
    bar.classList.remove('is-best')
    setBar(bar, 0)
    put(bar.querySelector('.bars-share'), '–')
  }
  byId('wrong').hidden = byId('thanks').hidden = true
}

async function report(event) {
  event.preventDefault()
  const { id, model, prediction } = event.target.elements
  const about = { id: id.value, model: model.value, prediction: prediction.value }
  const body = JSON.stringify({ ...about, report: event.submitter.value })
  try {
    const response = await post('/feedback', { body, headers: { 'Content-Type': 'application/json' } })
    if (!response.ok) return complain((await response.json()).error.message)
    byId('wrong').hidden = true
    byId('thanks').hidden = false
    // The button that had it is gone.
    byId('thanks').focus()
  } catch {
    complain('The service does not answer.')
  }
}

function complain(sentence) {
  put(byId('problem'), sentence)
  byId('problem').hidden = false
}

function hideProblem() {
  byId('problem').hidden = true
  put(byId('problem'), '')
}

function put(element, text) {
  if (element.textContent !== text) element.textContent = text
}

import './copy-buttons.js'
import { Asker, post } from './digits-asker.js'
import { Pad } from './digits-pad.js'
import { milliseconds, percent, setBar } from './figures.js'
import { isLoading, Readiness, setPill } from './readiness.js'

const byId = (id) => document.getElementById(id)
const { model, path, maxBytes } = byId('digits').dataset
const bars = [...byId('bars').children]
/** Where the picture stands that is shown instead of the pad; let go when another comes. */
let pictureUrl
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
  failed: complain,
  waits(sentence) {
    readiness.look()
    // What is being loaded has a notice of its own.
    if (!readiness.holdsUp) complain(sentence)
  },
})

const pill = byId('state').firstElementChild
const readiness = new Readiness(model, pill.dataset.state, ({ state, progress, error }) => {
  setPill(pill, state)
  byId('loading').hidden = state !== 'failed' && !isLoading(state)
  put(byId('loading-word'), (state === 'failed' ? error?.message : progress?.word) ?? state)
  byId('loading-bar').value = progress?.fraction ?? 0
})

const pad = new Pad(byId('pad'), {
  changed() {
    byId('undo').disabled = byId('clear').disabled = pad.isEmpty
    byId('paper').classList.toggle('paper-empty', pad.isEmpty)
    if (pad.isEmpty) return reset()
    asker.ask(() => pad.png())
  },
  finished() {
    if (!pad.isEmpty && asker.isDone && latest) announce(latest)
  },
  said: (text) => put(byId('said'), text),
})

byId('undo').addEventListener('click', () => pad.undo())
byId('clear').addEventListener('click', () => {
  showPad()
  pad.clear()
})
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
read(byId('file').files?.[0])

function imageIn(data) {
  const files = [...(data?.files ?? [])]
  return files.find(({ type }) => type.startsWith('image/')) ?? files[0]
}

/** A picture instead of the pad. */
function read(file) {
  if (!file) return
  asker.forget()
  pad.clear()
  if (file.size > Number(maxBytes)) {
    complain(`The picture has ${file.size} bytes; ${maxBytes} are the most that is taken.`)
    return
  }
  const picture = byId('picture')
  URL.revokeObjectURL(pictureUrl)
  pictureUrl = URL.createObjectURL(file)
  picture.src = pictureUrl
  picture.alt = file.name ? `The picture ${file.name}` : 'The picture that is read'
  picture.hidden = false
  byId('paper').classList.remove('paper-empty')
  byId('clear').disabled = false
  asker.ask(() => file)
}

function showPad() {
  const picture = byId('picture')
  URL.revokeObjectURL(pictureUrl)
  pictureUrl = undefined
  picture.hidden = true
  byId('file').value = ''
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
  latest = undefined
  hideProblem()
  put(byId('best'), '?')
  put(byId('best-share'), 'Nothing drawn yet')
  put(byId('timing'), '')
  put(byId('said'), '')
  for (const bar of bars) {
    bar.classList.remove('is-best')
    setBar(bar, 0)
    put(bar.querySelector('.bars-share'), '–')
  }
  byId('wrong').hidden = byId('thanks').hidden = true
}

async function report(event) {
  event.preventDefault()
  const body = JSON.stringify({ id: event.target.elements.id.value, report: event.submitter.value })
  try {
    const response = await post('/feedback', { body, headers: { 'Content-Type': 'application/json' } })
    if (!response.ok) return complain((await response.json()).error.message)
    byId('wrong').hidden = true
    byId('thanks').hidden = false
    put(byId('said'), 'Thanks for your feedback.')
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

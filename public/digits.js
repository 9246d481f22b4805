import { guessesOf } from './answer.js'
import './copy-buttons.js'
import { readingOf, timingText } from './digit-words.js'
import { Asker } from './digits-asker.js'
import { Pad } from './digits-pad.js'
import { percent } from './figure-words.js'
import { setBar } from './figures.js'
import { followModel } from './follow-model.js'
import { byId, fieldOf, find, messageOf, put } from './page.js'
import { mustBeOk, postWithKey } from './post.js'

/** @typedef {import('./answer.js').Answer} Answer */

const { model = '', path = '', maxBytes = '' } = byId('digits').dataset
const bars = [...byId('bars').children]
const picture = byId('picture', HTMLImageElement)
const chosen = byId('file', HTMLInputElement)
const wrong = byId('wrong', HTMLFormElement)
/** @type {string | undefined} object URL of the picture that is shown instead of the pad */
let pictureUrl
/** Whether a picture is read, and not the drawing. A browser may be unable to show the picture. */
let hasPicture = !picture.hidden
/** @type {Answer | undefined} the answer to this drawing, or to a state of it a moment ago */
let latest

const asker = new Asker(path, {
  answered(answer, id, isLast) {
    hideProblem()
    show(answer, id)
    latest = answer
    // A screen reader should not announce the reading of a half-drawn digit.
    if (isLast && !pad.isDrawing) announce(answer)
  },
  failed(sentence) {
    showUnread('Not read')
    complain(sentence)
  },
  async waits(sentence, code) {
    if (code === '') return complain(sentence)
    await readiness.look()
    // The user may have cleared the drawing meanwhile.
    if (asker.isDone) return
    // The notice of a model that is not ready says enough.
    if (byId('loading').hidden) complain(sentence)
    else hideProblem()
  },
  rest: () => pad.rest(),
})

const readiness = followModel(model)

const pad = new Pad(byId('pad', HTMLCanvasElement), {
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
  // The button is disabled now and has lost the focus: without this, Tab would start at the top of the page.
  if (pad.isEmpty) byId('pad').focus()
})
byId('clear').addEventListener('click', () => {
  clear()
  byId('pad').focus()
})
picture.addEventListener('error', hidePicture)
chosen.addEventListener('change', () => read(chosen.files?.[0]))
byId('form').addEventListener('submit', (event) => {
  event.preventDefault()
  const file = chosen.files?.[0]
  if (file) read(file)
  else chosen.click()
})
const example = byId('example', HTMLAnchorElement)
example.addEventListener('click', async (event) => {
  event.preventDefault()
  read(await (await fetch(example.href)).blob())
})
wrong.addEventListener('submit', report)
document.addEventListener('paste', ({ clipboardData }) => read(imageIn(clipboardData)))
for (const over of /** @type {const} */ (['dragenter', 'dragover'])) {
  document.addEventListener(over, (event) => {
    if (!event.dataTransfer?.types.includes('Files')) return
    event.preventDefault()
    byId('paper').classList.add('paper-drop')
  })
}
for (const end of /** @type {const} */ (['dragleave', 'drop'])) {
  document.addEventListener(end, () => byId('paper').classList.remove('paper-drop'))
}
document.addEventListener('drop', (event) => {
  if (!event.dataTransfer?.types.includes('Files')) return
  event.preventDefault()
  read(imageIn(event.dataTransfer))
})
// With JavaScript, a chosen file is sent at once, also one that was chosen before this script ran.
byId('send').hidden = true
// The picture came with the page, as the answer to a form, and may have failed before this script ran.
if (hasPicture && picture.complete && picture.naturalWidth === 0) hidePicture()
showTools()
read(chosen.files?.[0])

/** @param {DataTransfer | null} data */
function imageIn(data) {
  const files = [...(data?.files ?? [])]
  return files.find(({ type }) => type.startsWith('image/')) ?? files[0]
}

/**
 * Shows a picture instead of the pad, and has the picture read.
 * @param {(Blob & { name?: string }) | undefined} file
 */
function read(file) {
  if (!file) return
  if (file.size > Number(maxBytes)) {
    complain(`The picture has ${file.size} bytes, but this service takes no more than ${maxBytes}.`)
    return
  }
  pad.clear()
  reset()
  showUnread('Not read yet')
  letGo()
  pictureUrl = URL.createObjectURL(file)
  picture.src = pictureUrl
  picture.alt = file.name ? `The picture ${file.name}` : 'The picture that is read'
  picture.hidden = false
  hasPicture = true
  showTools()
  asker.ask(() => file)
}

/** Shows the empty pad. */
function clear() {
  pad.clear()
  hasPicture = false
  hidePicture()
  chosen.value = ''
  reset()
}

function hidePicture() {
  letGo()
  picture.hidden = true
  showTools()
}

function letGo() {
  if (pictureUrl !== undefined) URL.revokeObjectURL(pictureUrl)
  pictureUrl = undefined
}

function showTools() {
  byId('undo', HTMLButtonElement).disabled = pad.isEmpty
  byId('clear', HTMLButtonElement).disabled = pad.isEmpty && !hasPicture
  byId('paper').classList.toggle('paper-empty', pad.isEmpty && Boolean(picture.hidden))
}

/**
 * @param {Answer} answer
 * @param {string} id of the request, which a report names
 */
function show(answer, id) {
  const guesses = guessesOf(answer) ?? []
  const shares = new Map(guesses.map(({ label, probability }) => [label, probability]))
  const { digit: best, word } = readingOf(guesses)
  put(byId('best'), best ?? '?')
  put(byId('best-share'), word)
  for (const bar of bars) {
    const digit = bar.getAttribute('data-digit') ?? ''
    const share = shares.get(digit) ?? 0
    bar.classList.toggle('is-best', digit === best)
    setBar(bar, share)
    put(find(bar, '.bars-share'), percent(share))
  }
  put(byId('timing'), timingText(answer.timing))
  fieldOf(wrong, 'id').value = id
  fieldOf(wrong, 'prediction').value = guesses[0]?.name ?? ''
  wrong.hidden = guesses.length === 0
  byId('thanks').hidden = true
}

/** @param {Answer} answer */
function announce(answer) {
  const { digit, word } = readingOf(guessesOf(answer) ?? [])
  put(byId('said'), digit === undefined ? word : `It reads ${digit}, ${word}`)
}

/** Brings the page back to the state before the first stroke. */
function reset() {
  asker.forget()
  hideProblem()
  put(byId('said'), '')
  showUnread('Nothing drawn yet')
}

/**
 * Shows that there is no reading, and the reason.
 * @param {string} word
 */
function showUnread(word) {
  latest = undefined
  put(byId('best'), '?')
  put(byId('best-share'), word)
  put(byId('timing'), '')
  for (const bar of bars) {
    bar.classList.remove('is-best')
    setBar(bar, 0)
    put(find(bar, '.bars-share'), '–')
  }
  wrong.hidden = byId('thanks').hidden = true
}

/** @param {SubmitEvent} event */
async function report(event) {
  event.preventDefault()
  if (!(event.submitter instanceof HTMLButtonElement)) return
  const [id, model, prediction] = ['id', 'model', 'prediction'].map((name) => fieldOf(wrong, name).value)
  const body = JSON.stringify({ id, model, prediction, report: event.submitter.value })
  try {
    const headers = { 'Content-Type': 'application/json' }
    await mustBeOk(await postWithKey('/feedback', { body, headers }))
  } catch (error) {
    return complain(messageOf(error))
  }
  wrong.hidden = true
  byId('thanks').hidden = false
  // The pressed button is hidden and has lost the focus.
  byId('thanks').focus()
}

/** @param {string} sentence */
function complain(sentence) {
  put(byId('problem'), sentence)
  byId('problem').hidden = false
}

function hideProblem() {
  byId('problem').hidden = true
  put(byId('problem'), '')
}

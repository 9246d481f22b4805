import { keyHeaders } from './api-key.js'
import { wireCamera } from './camera.js'
import { createCard, guessesOf } from './card.js'
import { classify, Failure } from './classify.js'
import { copyFrom } from './copy.js'
import { megabytes, percent } from './figures.js'
import { createHistory } from './history.js'
import { wireIntake } from './intake.js'
import { hasBar, loadingWords, Readiness, setPill } from './readiness.js'
import { completeLabels, wireReport } from './report.js'
import { say } from './say.js'
import { curlOf, jsonOf, save } from './share.js'
import { thumbnail } from './thumbnail.js'
import { Turns } from './turns.js'

const MAX_CARDS = 50
const AT_A_TIME = 4
/** What a form adds around a file. */
const FORM_BYTES = 1024
/** What came with the page: the answer to a form that was sent before this script was there. */
const SENT = '.results > article, .results > .notice'

const byId = (id) => document.getElementById(id)
const { path, model, maxBytes } = byId('classify').dataset
const cards = byId('cards')
const turns = new Turns(AT_A_TIME)
const history = createHistory(model)
/** The newest first, as the cards stand. */
let jobs = []

const readiness = new Readiness(model, byId('state').firstElementChild.dataset.state, showReadiness)

function showReadiness(its) {
  const { state, progress } = its
  const notice = byId('loading')
  const { title, word, isBad } = loadingWords(model, its)
  setPill(byId('state').firstElementChild, state)
  if (!notice.hidden && state === 'ready') say(`${model} is ready`)
  notice.hidden = state === 'ready'
  notice.classList.toggle('notice-bad', isBad)
  byId('loading-title').textContent = title
  byId('loading-word').textContent = word
  byId('loading-bar').hidden = !hasBar(its)
  byId('loading-bar').value = progress?.fraction ?? 0
}

function take(images) {
  complain('')
  const room = MAX_CARDS - jobs.filter(({ busy }) => busy).length
  if (images.length > room) {
    complain(
      `${MAX_CARDS} pictures at a time are enough: ${images.length - room} of ${images.length} were left out.`,
    )
  }
  for (const image of images.slice(0, room)) start(image)
  keepBound()
  // On a phone the results lie below the form.
  const title = byId('results-title')
  const { top } = title.getBoundingClientRect()
  if (images.length > 0 && (top < 0 || top > innerHeight / 2)) title.scrollIntoView()
}

function start(image) {
  const job = addJob(image)
  job.card.item.firstElementChild.classList.add('is-new')
  run(job)
}

async function run(job) {
  const { card, image, gone } = job
  job.busy = true
  card.state({ state: 'waiting' })
  try {
    await prepare(job)
    const answer = await turns.run(() =>
      classify(path, image, { readiness, tell: card.state, signal: gone.signal }),
    )
    await finish(job, answer)
  } catch (error) {
    if (gone.signal.aborted) return
    card.failed(error.message, error.mayPass)
    say(`${image.name}: ${error.message}`)
    // A mistake of this page is also told to whoever looks into the console.
    if (!(error instanceof Failure)) throw error
  } finally {
    job.busy = false
    card.item.setAttribute('aria-busy', 'false')
  }
}

/** Fetches what lies on this site, looks at the size, and shows the picture. */
async function prepare(job) {
  const { image } = job
  if (image.own) {
    const response = await fetch(image.own, { headers: keyHeaders() }).catch(() => undefined)
    if (!response?.ok) throw new Failure(`${image.name} cannot be had from this service.`, { mayPass: true })
    const blob = await response.blob()
    image.file = new File([blob], image.name, { type: blob.type })
  }
  if (!image.file) return
  if (image.file.size === 0) throw new Failure(`${image.name} is empty.`)
  if (image.file.size + FORM_BYTES > Number(maxBytes)) {
    throw new Failure(
      `${image.name} has ${megabytes(image.file.size)}, but this service takes no more than ${megabytes(maxBytes)}.`,
    )
  }
  showPicture(job, image.file)
}

async function showPicture(job, blob) {
  job.picture = await thumbnail(blob)
  if (job.picture) job.card.picture(job.picture)
  if (job.answer) remember()
}

async function finish(job, answer) {
  const { card, image } = job
  job.answer = answer
  showAnswer(job)
  const [best] = guessesOf(answer) ?? []
  say(best ? `${image.name}: ${best.label}, ${percent(best.probability)}` : `${image.name}: answered`)
  // What has its answer can be forgotten: a dozen photographs would fill the memory of a phone.
  image.file = undefined
  card.button('again').hidden = true
  remember()
  if (answer.image) await showStored(job, answer.image)
}

/** A picture from another site is shown as the service has it, not from there. */
async function showStored(job, address) {
  const response = await fetch(address, { headers: keyHeaders() }).catch(() => undefined)
  if (response?.ok) await showPicture(job, await response.blob())
}

function showAnswer(job) {
  const { card, image, answer } = job
  card.done(answer)
  const text = jsonOf(answer)
  card.button('json').addEventListener('click', ({ currentTarget }) => copyFrom(currentTarget, text))
  card.button('save').addEventListener('click', () => save(text, `${model}-${answer.id}.json`))
  if (job.reported) card.button('report').hidden = true
  else {
    const prediction = guessesOf(answer)?.[0]?.name ?? ''
    wireReport(card, { model, id: answer.id, prediction, reported: () => keepReported(job) })
  }
  if (job.picture) card.picture(job.picture)
  card.button('remove').setAttribute('aria-label', `Remove ${image.name}`)
}

function keepReported(job) {
  job.reported = true
  remember()
}

function addJob(image, entry = {}) {
  const job = { image, card: createCard(image), gone: new AbortController(), busy: false, ...entry }
  const { card } = job
  card.button('remove').addEventListener('click', () => remove(job))
  card.button('again').addEventListener('click', () => run(job))
  card
    .button('curl')
    .addEventListener('click', ({ currentTarget }) =>
      copyFrom(currentTarget, curlOf(image, location.origin + path, 'X-Api-Key' in keyHeaders())),
    )
  jobs.unshift(job)
  cards.prepend(card.item)
  showWhatIsThere()
  return job
}

function remove(job) {
  const next = (job.card.item.nextElementSibling ?? job.card.item.previousElementSibling)?.querySelector(
    '[data-do="remove"]',
  )
  drop(job)
  remember()
  ;(next ?? byId('choose')).focus()
}

function drop(job) {
  job.gone.abort()
  job.card.item.remove()
  jobs = jobs.filter((other) => other !== job)
  showWhatIsThere()
}

/** The oldest that are through with it make room. */
function keepBound() {
  for (const job of jobs.toReversed()) {
    if (jobs.length <= MAX_CARDS) return
    if (!job.busy) drop(job)
  }
}

function remember() {
  const done = jobs.filter(({ answer }) => answer)
  history.write(
    done.map(({ image: { name, url }, answer, picture, reported }) => ({
      name,
      url,
      answer,
      picture,
      reported,
    })),
  )
}

function restore() {
  for (const { name, url, ...rest } of history.read().slice(0, MAX_CARDS).reverse()) {
    showAnswer(addJob({ name, url }, rest))
  }
}

function showWhatIsThere() {
  const isEmpty = jobs.length === 0 && document.querySelector(SENT) === null
  byId('clear').hidden = isEmpty
  byId('none').hidden = !isEmpty
}

function complain(sentence) {
  byId('problem').textContent = sentence
  byId('problem').hidden = sentence === ''
}

byId('clear').addEventListener('click', () => {
  for (const sent of document.querySelectorAll(SENT)) sent.remove()
  byId('results-title').textContent = 'Results'
  document.title = `${model} · Tandem`
  for (const job of jobs) drop(job)
  showWhatIsThere()
  remember()
  byId('choose').focus()
})
for (const input of document.querySelectorAll('.results article [name="report"]'))
  completeLabels(input, model)
restore()
showWhatIsThere()
wireIntake(byId('form'), take, complain)
wireCamera(take, complain)

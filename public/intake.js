import { byId, fieldOf, find } from './page.js'

/** @typedef {import('./classify.js').Image} Image */
/** @typedef {(images: Image[]) => void} Take */
/** @typedef {(sentence: string) => void} Complain */

const LOOKS_LIKE_IMAGE = /^(https?:\/\/\S+|data:image\/\S+)$/i

/**
 * Connects every way in which pictures come in: chosen, dropped, pasted, typed, clicked. `take` gets the pictures.
 * `complain` tells the user when there is no picture in what came.
 * @param {HTMLFormElement} form
 * @param {Take} take
 * @param {Complain} complain
 */
export function wireIntake(form, take, complain) {
  const file = fieldOf(form, 'image')
  const url = fieldOf(form, 'url')
  file.multiple = true
  find(form, '.intake-file').hidden = true
  byId('choices').hidden = false
  byId('choose').addEventListener('click', () => file.click())
  const takeChosen = () => {
    take([...(file.files ?? [])].map(fromFile))
    // A browser reports the same file again only if the field has been emptied.
    file.value = ''
  }
  file.addEventListener('change', takeChosen)
  // A file may have been chosen before this script ran.
  if (file.files?.length) takeChosen()
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    const text = url.value.trim()
    if (text === '') {
      url.focus()
      return
    }
    take([fromUrl(text)])
    url.value = ''
  })
  form.addEventListener('click', (event) => {
    const example = event.target instanceof Element && event.target.closest('a[data-example]')
    if (!(example instanceof HTMLAnchorElement) || event.ctrlKey || event.metaKey || event.shiftKey) return
    event.preventDefault()
    take([fromUrl(example.href)])
  })
  wireDrop(take, complain)
  document.addEventListener('paste', (event) => {
    const images = imagesIn(event.clipboardData)
    const [first] = images
    const isField = event.target instanceof Element && event.target.closest('input, textarea') !== null
    // The field takes pasted text.
    if (first === undefined || (isField && !first.file)) return
    event.preventDefault()
    take(images)
  })
}

/**
 * @param {File} file
 * @returns {Image}
 */
export function fromFile(file) {
  return { file, name: file.name || 'pasted picture' }
}

/**
 * The page fetches pictures of this site: the service refuses private addresses, and this site may have one.
 * @param {string} url
 * @returns {Image}
 */
function fromUrl(url) {
  const name = url.length > 200 ? `${url.slice(0, 200)}…` : url
  if (!url.startsWith(`${location.origin}/`)) return { url, name }
  return { own: url, name: url.slice(url.lastIndexOf('/') + 1) }
}

/**
 * @param {Take} take
 * @param {Complain} complain
 */
function wireDrop(take, complain) {
  const root = document.documentElement
  const brings = (/** @type {DragEvent} */ event) =>
    event.dataTransfer?.types.some((type) => type === 'Files' || type === 'text/uri-list')
  document.addEventListener('dragover', (event) => {
    if (!brings(event)) return
    event.preventDefault()
    if (event.dataTransfer) event.dataTransfer.dropEffect = 'copy'
    root.classList.add('is-dragging')
  })
  document.addEventListener('dragleave', (event) => {
    if (event.relatedTarget === null) root.classList.remove('is-dragging')
  })
  document.addEventListener('drop', (event) => {
    root.classList.remove('is-dragging')
    if (!brings(event)) return
    event.preventDefault()
    const images = imagesIn(event.dataTransfer)
    if (images.length > 0) take(images)
    else complain('Only files, and URLs that begin with http:// or https://, can be dropped here.')
  })
}

/**
 * Prefers files to URLs: a picture that is dragged from another page comes as both.
 * @param {DataTransfer | null} data
 */
function imagesIn(data) {
  const files = [...(data?.files ?? [])]
  if (files.length > 0) return files.map(fromFile)
  const text = data?.getData('text/uri-list') || data?.getData('text/plain') || ''
  const lines = text.split(/\r?\n/).map((line) => line.trim())
  return lines.filter((line) => LOOKS_LIKE_IMAGE.test(line)).map(fromUrl)
}

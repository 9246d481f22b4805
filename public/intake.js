const LOOKS_LIKE_IMAGE = /^(https?:\/\/\S+|data:image\/\S+)$/i

/** Every way in which pictures come in: chosen, dropped, pasted, typed, clicked. Each is handed to `take`; what is none is complained of. */
export function wireIntake(form, take, complain) {
  const file = form.elements.image
  const url = form.elements.url
  file.multiple = true
  file.closest('label').hidden = true
  document.getElementById('choices').hidden = false
  document.getElementById('choose').addEventListener('click', () => file.click())
  file.addEventListener('change', () => {
    take([...file.files].map(fromFile))
    // So that the same file can be chosen again.
    file.value = ''
  })
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
    const example = event.target.closest('[data-example]')
    if (!example || event.ctrlKey || event.metaKey || event.shiftKey) return
    event.preventDefault()
    take([fromUrl(example.href)])
  })
  wireDrop(take, complain)
  document.addEventListener('paste', (event) => {
    const images = imagesIn(event.clipboardData)
    // Text that is pasted into a field belongs there.
    if (images.length === 0 || (event.target.closest('input, textarea') && !images[0].file)) return
    event.preventDefault()
    take(images)
  })
}

export function fromFile(file) {
  return { file, name: file.name || 'pasted picture' }
}

/** A picture of this very site is taken from here: the service asks no private address, its own included. */
function fromUrl(url) {
  const name = url.length > 200 ? `${url.slice(0, 200)}…` : url
  if (!url.startsWith(`${location.origin}/`)) return { url, name }
  return { own: url, name: url.slice(url.lastIndexOf('/') + 1) }
}

function wireDrop(take, complain) {
  const root = document.documentElement
  const brings = (event) =>
    event.dataTransfer?.types.some((type) => type === 'Files' || type === 'text/uri-list')
  document.addEventListener('dragover', (event) => {
    if (!brings(event)) return
    event.preventDefault()
    event.dataTransfer.dropEffect = 'copy'
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
    else complain('What was dropped is neither a file nor an address that begins with http:// or https://.')
  })
}

/** Files before addresses: a picture that is dragged out of another page comes as both. */
function imagesIn(data) {
  const files = [...(data?.files ?? [])]
  if (files.length > 0) return files.map(fromFile)
  const text = data?.getData('text/uri-list') || data?.getData('text/plain') || ''
  const lines = text.split(/\r?\n/).map((line) => line.trim())
  return lines.filter((line) => LOOKS_LIKE_IMAGE.test(line)).map(fromUrl)
}

/**
 * The element with that id. Throws when there is none, which is a mistake in the page.
 * @template {Element} [T=HTMLElement]
 * @param {string} id
 * @param {new () => T} [kind]
 * @returns {T}
 */
export function byId(id, kind) {
  return checked(document.getElementById(id), `#${id}`, kind)
}

/**
 * The first element in `root` that matches the selector. Throws when there is none.
 * @template {Element} [T=HTMLElement]
 * @param {ParentNode} root
 * @param {string} selector
 * @param {new () => T} [kind]
 * @returns {T}
 */
export function find(root, selector, kind) {
  return checked(root.querySelector(selector), selector, kind)
}

/**
 * A copy of the only element in a template.
 * @param {string} id
 */
export function copyOf(id) {
  const [first] = byId(id, HTMLTemplateElement).content.children
  return checked(first?.cloneNode(true), `#${id} > *`, HTMLElement)
}

/**
 * The field of a form with that name.
 * @param {HTMLFormElement} form
 * @param {string} name
 */
export function fieldOf(form, name) {
  return checked(form.elements.namedItem(name), `[name="${name}"]`, HTMLInputElement)
}

/**
 * Sets the text of an element, unless the text is the same: a screen reader announces every change of a live region.
 * @param {Element} element
 * @param {string} text
 */
export function put(element, text) {
  if (element.textContent !== text) element.textContent = text
}

/**
 * The message of anything that was thrown.
 * @param {unknown} error
 */
export function messageOf(error) {
  return error instanceof Error ? error.message : String(error)
}

/** @param {HTMLCanvasElement} canvas */
export function penOf(canvas) {
  const pen = canvas.getContext('2d')
  if (pen === null) throw new Error('This browser cannot draw on a canvas.')
  return pen
}

/**
 * @template {Element} T
 * @param {unknown} found
 * @param {string} selector
 * @param {new () => T} [kind]
 * @returns {T}
 */
function checked(found, selector, kind) {
  if (found instanceof (kind ?? HTMLElement)) return /** @type {T} */ (found)
  throw new Error(`The page has no ${kind?.name ?? 'element'} ${selector}.`)
}

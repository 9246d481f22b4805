import { copyFrom } from './copy.js'

/** Adds a copy button to every block of code that users may paste. */
for (const block of document.querySelectorAll('pre[data-copy]')) {
  const frame = document.createElement('div')
  frame.className = 'copyable'
  block.replaceWith(frame)
  const button = document.createElement('button')
  button.type = 'button'
  button.className = 'button button-small'
  button.textContent = 'Copy'
  button.setAttribute('aria-label', `Copy: ${block.getAttribute('aria-label')}`)
  button.addEventListener('click', () => copyFrom(button, block.textContent))
  frame.append(block, button)
}

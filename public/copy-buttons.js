import { copyFrom } from './copy.js'

/** Gives every block of code that is meant to be pasted a button. */
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

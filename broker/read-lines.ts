import type { Readable } from 'node:stream'

// A pipeline that prints without line ends must not fill the memory of the web process.
const MAX_LINE = 16_384
// A pipeline that prints without a pause must not keep the web process busy: backpressure on the pipe slows it down.
const LINES_PER_TURN = 100
const NEXT_TURN_MS = 10

/** Calls `onLine` for each line of a text stream; a line longer than MAX_LINE comes in pieces. */
export function readLines(stream: Readable, onLine: (line: string) => void): void {
  let rest = ''
  stream.setEncoding('utf8')
  stream.on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    while (rest.length >= MAX_LINE) {
      lines.push(rest.slice(0, MAX_LINE))
      rest = rest.slice(MAX_LINE)
    }
    emit(lines)
  })
  stream.on('end', () => emit([rest]))
  // The pipe of a killed child may break; the exit event reports the death.
  stream.on('error', () => {})

  function emit(lines: string[], from = 0): void {
    const to = from + LINES_PER_TURN
    for (const line of lines.slice(from, to)) {
      const text = line.endsWith('\r') ? line.slice(0, -1) : line
      for (let at = 0; at < text.length; at += MAX_LINE) onLine(text.slice(at, at + MAX_LINE))
    }
    if (lines.length <= to) {
      stream.resume()
      return
    }
    stream.pause()
    setTimeout(() => emit(lines, to), NEXT_TURN_MS)
  }
}

import type { Readable } from 'node:stream'

// A pipeline that prints without ever ending a line must not fill the memory of the web process.
const MAX_LINE = 16_384

/** Calls `onLine` for each line of a stream of text; a longer one comes in pieces. */
export function readLines(stream: Readable, onLine: (line: string) => void): void {
  let rest = ''
  stream.setEncoding('utf8')
  stream.on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) emit(line.endsWith('\r') ? line.slice(0, -1) : line)
    while (rest.length >= MAX_LINE) {
      emit(rest.slice(0, MAX_LINE))
      rest = rest.slice(MAX_LINE)
    }
  })
  stream.on('end', () => emit(rest))
  // The pipe of a killed child may break; its exit says all there is to say.
  stream.on('error', () => {})

  function emit(line: string): void {
    for (let from = 0; from < line.length; from += MAX_LINE) onLine(line.slice(from, from + MAX_LINE))
  }
}

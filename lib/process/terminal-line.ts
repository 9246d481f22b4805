import { styleText } from 'node:util'

/** One line of the log, as pino writes it. */
type Entry = Readonly<Record<string, unknown>>

const WARN = 40
const ERROR = 50
const LEVELS: Readonly<Record<number, string>> = { 40: 'warning', 50: 'error', 60: 'fatal' }
/** Fields that the line already shows, or that only help programs that collect logs. */
const UNSHOWN: ReadonlySet<string> = new Set([
  'level',
  'time',
  'msg',
  'model',
  'err',
  'pid',
  'stream',
  'requestId',
])

/** The words for these messages on a terminal; undefined hides the line. */
const TEXTS: Readonly<Record<string, (entry: Entry) => string | undefined>> = {
  listening: ({ url }) =>
    `Open ${String(url).replace('//0.0.0.0:', '//127.0.0.1:').replace('//[::]:', '//[::1]:')}`,
  request: ({ method, path, status, ms, code }) =>
    `${method} ${path} ${status} ${ms} ms${code === undefined ? '' : ` ${code}`}`,
  draining: () => 'finishing the accepted requests; press Ctrl-C again to end at once',
  // Hidden, because the progress of the start says more.
  'model state': ({ state }) => (state === 'starting' ? undefined : String(state)),
  'child started': () => undefined,
  'child ended': ({ expected, exitCode, signal }) =>
    expected === true ? undefined : `child ended with ${signal ?? exitCode}`,
}

/** The text for one entry of the log: one line, and the stack below it if the error is ours. */
export function terminalLine(json: string, hasColors: boolean): string | undefined {
  const entry = JSON.parse(json) as Entry
  const level = Number(entry.level)
  // The access log has the code of this error.
  if (entry.msg === 'request failed' && level < ERROR) return undefined
  const text = textOf(entry)
  if (text === undefined) return undefined
  const paint: typeof styleText = hasColors ? styleText : (_format, text) => text
  if (entry.msg === 'listening') return `${paint('bold', text)}\n`
  const clock = paint('gray', new Date(String(entry.time)).toTimeString().slice(0, 8))
  const mark = level >= WARN ? `${paint(level >= ERROR ? 'red' : 'yellow', `${LEVELS[level]}:`)} ` : ''
  const model = entry.model === undefined ? '' : `${paint('cyan', `${entry.model}:`)} `
  return `${clock} ${mark}${model}${text}\n${level >= ERROR ? stackOf(entry.err) : ''}`
}

function textOf(entry: Entry): string | undefined {
  const known = TEXTS[String(entry.msg)]
  const text = known === undefined ? `${entry.msg}${detailsOf(entry)}` : known(entry)
  return text === undefined ? undefined : oneLine(text)
}

function detailsOf(entry: Entry): string {
  const { err } = entry
  const message = isRecord(err) ? `: ${err.message}` : ''
  const fields = Object.entries(entry).filter(([name]) => !UNSHOWN.has(name))
  return message + fields.map(([name, value]) => ` ${name}=${shown(value)}`).join('')
}

function shown(value: unknown): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

function stackOf(err: unknown): string {
  // A permanent error is in the user's file or settings: its sentence says all.
  if (!isRecord(err) || err.permanent === true || typeof err.stack !== 'string') return ''
  // The first line of a stack is the message.
  const frames = err.stack.split('\n').filter((line) => /^\s+at /.test(line))
  return frames.map((frame) => `  ${oneLine(frame.trim())}\n`).join('')
}

/** Clients choose paths, and control characters in a path could move the cursor or clear the screen. */
function oneLine(text: string): string {
  return text.replace(/[\s\p{Cc}\p{Cf}]+/gu, ' ').trim()
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

import type { ChildProcess } from 'node:child_process'

interface ChannelHandle {
  onread?: (this: unknown, bytes: ArrayBuffer | undefined) => void
}

/**
 * A trap of Node: bytes on the IPC pipe that are no message make the deserializer throw inside the channel's read
 * callback. No code can catch that exception, so a stray write in the child would end the *parent*. And four stray bytes
 * that read as a huge length make Node buffer everything that follows, for ever. child_process keeps the callback on a
 * handle under a symbol; this function wraps the callback, so that such bytes end the child instead. If a later Node
 * hides the handle, the test with the garbage in the pipe goes red.
 */
export function guardChannel(child: ChildProcess, maxBytes: number, onGarbage: (why: string) => void): void {
  const symbol = Object.getOwnPropertySymbols(child).find((key) => key.description === 'kChannelHandle')
  const handle = symbol && (child as unknown as Record<symbol, ChannelHandle | undefined>)[symbol]
  const onread = handle?.onread
  if (!handle || !onread) return
  // Bytes received since the last whole message.
  let unread = 0
  let broken = false
  child.on('message', () => {
    unread = 0
  })
  handle.onread = function guarded(bytes) {
    // The end of the pipe comes as a call without bytes, and must always be passed on.
    if (!bytes) return onread.call(this, bytes)
    if (broken) return
    unread += bytes.byteLength
    try {
      onread.call(this, bytes)
    } catch (error) {
      broken = true
      return onGarbage(error instanceof Error ? error.message : String(error))
    }
    if (unread <= maxBytes) return
    broken = true
    onGarbage(`${unread} bytes without the end of a message, the limit is ${maxBytes}`)
  }
}

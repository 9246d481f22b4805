import type { ChildProcess } from 'node:child_process'

interface ChannelHandle {
  onread?: (this: unknown, bytes: ArrayBuffer | undefined) => void
}

/**
 * A trap of Node: bytes on the IPC pipe that are no message make the deserializer throw inside the read callback of
 * the channel. Nobody can catch that, so a stray write in the child would end the *parent*; and four stray bytes that
 * read as a huge length make it collect everything that follows, for ever. The callback sits on a handle that
 * child_process keeps under a symbol; here it is wrapped, so that such bytes end the child instead. Where a later Node
 * hides the handle, the test with the garbage in the pipe goes red.
 */
export function guardChannel(child: ChildProcess, maxBytes: number, onGarbage: (why: string) => void): void {
  const symbol = Object.getOwnPropertySymbols(child).find((key) => key.description === 'kChannelHandle')
  const handle = symbol && (child as unknown as Record<symbol, ChannelHandle | undefined>)[symbol]
  const onread = handle?.onread
  if (!handle || !onread) return
  // Bytes that came since the last whole message.
  let unread = 0
  let broken = false
  child.on('message', () => {
    unread = 0
  })
  handle.onread = function guarded(bytes) {
    // The end of the pipe comes without bytes, and has to be heard in any case.
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
    onGarbage(`${unread} bytes without an end, the limit is ${maxBytes}`)
  }
}

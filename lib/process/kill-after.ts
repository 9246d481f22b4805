import { Worker } from 'node:worker_threads'

/**
 * Kills this process after a while, if it is still there. The log is flushed when a process exits, and that flush
 * waits for a reader that may have stopped reading: the thread that waits can no longer end itself, another can.
 */
export function endForSure(afterMs: number): void {
  const code = `setTimeout(() => process.kill(process.pid, 'SIGKILL'), ${Math.ceil(afterMs)})`
  new Worker(code, { eval: true, execArgv: [], env: {} }).unref()
}

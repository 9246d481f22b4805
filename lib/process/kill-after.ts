import { Worker } from 'node:worker_threads'

/**
 * Kills this process after a while. At its exit, the process flushes the log. If the reader of the log has stopped reading,
 * the flush blocks the main thread for ever, and only another thread can still end the process.
 */
export function killAfter(afterMs: number): void {
  const code = `setTimeout(() => process.kill(process.pid, 'SIGKILL'), ${Math.ceil(afterMs)})`
  new Worker(code, { eval: true, execArgv: [], env: {} }).unref()
}

import { Worker } from 'node:worker_threads'

// How long a child may outlive its parent while the child's main thread is busy.
const LOOK_EVERY_MS = 500

/**
 * Ends this process when the parent is gone, for whatever reason. A closed pipe tells the main thread, but not while a
 * prediction blocks the event loop; therefore a small worker thread checks the parent's process id. The worker is
 * JavaScript in a string, so that it starts without the TypeScript loader.
 */
export function watchParent(): void {
  // A terminal or service manager signals the whole process group, but only the parent decides when the child ends.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})
  // process.exit() would wait for the threads of libuv's pool, which may decode or compute for minutes.
  process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'))
  const look = `
    const parent = ${process.ppid}
    setInterval(() => { if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL') }, ${LOOK_EVERY_MS})
  `
  new Worker(look, { eval: true, execArgv: [], env: {} }).unref()
}

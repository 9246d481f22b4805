import { Worker } from 'node:worker_threads'

// How long a child may outlive its parent while its own thread is busy.
const LOOK_EVERY_MS = 500

/**
 * Ends this process when the parent is gone, however it went. The closed pipe says so at once, but a prediction that
 * blocks the thread never hears it; therefore a small thread of its own looks whether the process has been orphaned.
 * Its code is plain JavaScript in a string, so that it starts without the TypeScript loader.
 */
export function watchParent(): void {
  // A terminal and a service manager send these to the whole group. The parent decides what becomes of the child.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})
  process.once('disconnect', () => process.exit(0))
  const look = `
    const parent = ${process.ppid}
    setInterval(() => { if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL') }, ${LOOK_EVERY_MS})
  `
  new Worker(look, { eval: true, execArgv: [], env: {} }).unref()
}

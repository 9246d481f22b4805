import { Worker } from 'node:worker_threads'

// How long a child may outlive its parent while the child's main thread is busy.
const LOOK_EVERY_MS = 500
// An input can make a decoder take a gigabyte in half a second.
const WEIGH_EVERY_MS = 100
// The parent kills a child that takes too much memory. If the main thread is too busy to tell the parent, the watcher does.
const KILL_AFTER_MS = 1000

/** A thread that watches over this process while the main thread may be blocked by a prediction. */
export interface Watcher {
  /** From now on this process must not take more than `bytes`. `exceeded` is called once, with what it takes instead. */
  limitMemory(bytes: number, exceeded: (taken: number) => void): void
}

/**
 * Ends this process when the parent is gone, for whatever reason. A closed pipe tells the main thread, but not while a
 * prediction blocks the event loop; therefore the thread checks the parent's process id. The thread is JavaScript in a
 * string, so that it starts without the TypeScript loader.
 */
export function startWatcher(): Watcher {
  // A terminal or service manager signals the whole process group, but only the parent decides when the child ends.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})
  // process.exit() would wait for the threads of libuv's pool, which may decode or compute for minutes.
  process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'))
  const watch = `
    const { parentPort } = require('node:worker_threads')
    const parent = ${process.ppid}
    const kill = () => process.kill(process.pid, 'SIGKILL')
    setInterval(() => { if (process.ppid !== parent) kill() }, ${LOOK_EVERY_MS})
    parentPort.once('message', (limit) => {
      const timer = setInterval(() => {
        const taken = process.memoryUsage.rss()
        if (taken <= limit) return
        clearInterval(timer)
        parentPort.postMessage(taken)
        setTimeout(kill, ${KILL_AFTER_MS})
      }, ${WEIGH_EVERY_MS})
    })
  `
  const worker = new Worker(watch, { eval: true, execArgv: [], env: {} })
  worker.unref()
  return {
    limitMemory(bytes, exceeded) {
      worker.once('message', exceeded)
      worker.postMessage(bytes)
    },
  }
}

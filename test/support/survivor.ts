import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { expect } from 'chai'
import { copyDigits } from './digit-folders.ts'
import { newFolder } from './feedback-folder.ts'
import { photo } from './image-files.ts'
import { allReady, type Service, startService } from './service.ts'
import { sharedBetweenSuites } from './shared-service.ts'
import { temporaryFolder } from './temporary-folder.ts'

const WATCHER = new URL('../fixtures/watch-health.mjs', import.meta.url)
const SAMPLE_EVERY_MS = 50
const MIB = 2 ** 20

/**
 * The service under attack. Both models are the packaged network for digits: `picture` takes any image, `digits` first
 * looks for the digit on it. Caches are off, so that every image is decoded.
 */
export const survivor = sharedBetweenSuites(() => startSurvivor())

export async function startSurvivor(env: Record<string, string> = {}): Promise<Service> {
  const folder = temporaryFolder()
  copyDigits(folder, 'picture')
  writeFileSync(join(folder, 'picture.json'), JSON.stringify({ preprocessing: 'unit' }))
  const service = await startService({
    MODELS: `digits,picture=${join(folder, 'picture', 'model.json')}`,
    WEIGHTS_DIR: folder,
    FEEDBACK_DIR: newFolder(),
    DEVICE: 'cpu',
    CACHE_ENTRIES: '0',
    API_MODEL: 'picture',
    INFER_MODEL: 'picture',
    PREDICT_MODEL: 'picture',
    // So that the service uses the X-Forwarded-* headers of a client.
    TRUST_PROXY: '1',
    ...env,
  })
  await allReady(service)
  return service
}

/** Checks that the service still answers, with the same processes as at the beginning. */
export async function expectUnharmed({ url, logs, process }: Service): Promise<void> {
  expect(process.exitCode ?? process.signalCode, 'the exit of the web process').to.equal(null)
  expect((await fetch(`${url}/healthz`)).status, 'GET /healthz').to.equal(200)
  for (const model of ['picture', 'digits']) {
    const body = new Uint8Array(await photo().png().toBuffer())
    const answer = await fetch(`${url}/${model}`, { method: 'POST', body })
    expect(answer.status, `POST /${model}`).to.equal(200)
  }
  const ended = logs.filter(({ msg }) => msg === 'child ended')
  expect(ended, 'children that ended').to.deep.equal([])
  const errors = logs.filter(({ level }) => Number(level) >= 50)
  expect(errors, 'errors in the log').to.deep.equal([])
}

/** Limits for /healthz under attack, in ms. A single request may take longer, since other processes need cores too. */
export const HEALTH_P99_MS = 1000
export const HEALTH_WORST_MS = 2500

export interface Health {
  readonly count: number
  readonly p99: number
  readonly worst: number
}

/** Requests /healthz all the time. The result stops this, and returns the times of the answers in milliseconds. */
export async function watchHealth({ url }: Service): Promise<() => Promise<Health>> {
  const worker = new Worker(WATCHER, { workerData: { url }, execArgv: [] })
  worker.unref()
  await new Promise((resolve) => worker.once('online', resolve))
  return () =>
    new Promise((resolve, reject) => {
      worker.once('error', reject)
      worker.once('message', ({ times, failures }: { times: number[]; failures: string[] }) => {
        const sorted = times.sort((a, b) => a - b)
        const p99 = sorted[Math.floor(sorted.length * 0.99)] ?? 0
        if (failures.length > 0) reject(new Error(`/healthz failed ${failures.length} times: ${failures[0]}`))
        else resolve({ count: sorted.length, p99, worst: sorted.at(-1) ?? 0 })
      })
      worker.postMessage('end')
    })
}

export interface Memory {
  /** the peak of each process while it was watched, in MiB */
  readonly web: number
  readonly child: number
}

/** Samples the resident memory of the web process and of its children, where the system reports it. */
export function watchMemory({ pid, logs }: Service): () => Memory {
  const children = logs.filter(({ msg }) => msg === 'child started').map((line) => Number(line.pid))
  let web = 0
  let child = 0
  const sample = () => {
    web = Math.max(web, residentMib(pid))
    child = Math.max(child, ...children.map(residentMib))
  }
  sample()
  const timer = setInterval(sample, SAMPLE_EVERY_MS).unref()
  return () => {
    clearInterval(timer)
    sample()
    return { web, child }
  }
}

function residentMib(pid: number): number {
  const file = `/proc/${pid}/status`
  if (!existsSync(file)) return 0
  return (Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(file, 'latin1'))?.[1] ?? 0) * 1024) / MIB
}

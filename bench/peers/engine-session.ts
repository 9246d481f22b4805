/** The engine of the service on one device, with nothing around it. Its process dies with what it opened. */
import { type OnnxOptions, openOnnx } from '../../pipeline/engines/onnx/onnx.ts'

export interface EngineOrder {
  readonly batch: number
  readonly pixels: Uint8Array
  /** How long it runs; three times at least. */
  readonly forMs: number
}

export type EngineAnswer =
  | { readonly kind: 'open'; readonly openMs: number }
  | { readonly kind: 'failed'; readonly message: string }
  | ({ readonly kind: 'ran' } & EngineRun)

export interface EngineRun {
  /** On a GPU, shaders are compiled in it. */
  readonly firstMs: number
  readonly times: readonly number[]
  readonly output: Float32Array
  readonly rssBytes: number
}

const MIN_RUNS = 3

process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'))
process.once('message', async (options: OnnxOptions) => {
  try {
    const start = performance.now()
    const engine = await openOnnx(options)
    process.on('message', async (order: EngineOrder) => {
      try {
        say({ kind: 'ran', ...(await run(engine, order)) })
      } catch (error) {
        fail(error)
      }
    })
    say({ kind: 'open', openMs: performance.now() - start })
  } catch (error) {
    fail(error)
  }
})

async function run(
  engine: Awaited<ReturnType<typeof openOnnx>>,
  { batch, pixels, forMs }: EngineOrder,
): Promise<EngineRun> {
  const begin = performance.now()
  const output = await engine.run(pixels, batch)
  const firstMs = performance.now() - begin
  const times: number[] = []
  const end = performance.now() + forMs
  while (times.length < MIN_RUNS || performance.now() < end) {
    const start = performance.now()
    await engine.run(pixels, batch)
    times.push(performance.now() - start)
  }
  return { firstMs, times, output, rssBytes: process.memoryUsage.rss() }
}

function fail(error: unknown): void {
  say({ kind: 'failed', message: error instanceof Error ? error.message : String(error) })
}

function say(answer: EngineAnswer): void {
  process.send?.(answer)
}

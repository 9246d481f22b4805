import { Broker } from '../../broker/broker.ts'
import { showProgress } from '../models/model-progress.ts'

export interface PipelineWork {
  /** the module in pipeline/, without its ending */
  readonly module: string
  /** what the work is for, shown in front of its progress */
  readonly name: string
  readonly options: object
  /** whether the progress is shown where there is no terminal too */
  readonly isLong?: boolean
}

/**
 * Does work with the code of the pipeline in a child process, as a server does: this process has none of the packages that
 * read weights. Gives the `info` of the pipeline, or throws the child's own error.
 */
export async function askPipeline({ module, name, options, isLong = false }: PipelineWork): Promise<unknown> {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  const pipeline = new URL(`../../pipeline/${module}.${extension}`, import.meta.url)
  await using broker = new Broker({ pipeline, name: `${module} ${name}`, options })
  const write = (word: string) => void process.stderr.write(`${name}: ${word}\n`)
  if (isLong) showProgress(name, broker, write)
  try {
    await broker.start()
    return broker.stats().info
  } catch (error) {
    // The broker would try again.
    broker.kill()
    throw error
  }
}

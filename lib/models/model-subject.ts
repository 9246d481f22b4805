import type { Brokers } from './brokers.ts'
import type { PipelineInfos } from './pipeline-info.ts'

/** The built-in network for digits: its name tells the subject before its child has started. */
const DIGIT_MODEL = 'digits'

/** Whether a model reads the one digit on a picture. The child reports the subject when ready; until then, the name decides. */
export function isForDigits(infos: PipelineInfos, name: string): boolean {
  return (infos.of(name)?.subject ?? (name === DIGIT_MODEL ? 'digit' : null)) === 'digit'
}

export function hasClasses(infos: PipelineInfos, name: string): boolean {
  return infos.of(name)?.output?.kind !== 'features'
}

/** The other models for the same subject, which a client may use while a model is loading. */
export function standIns(brokers: Brokers, infos: PipelineInfos, model: string): string[] {
  const subject = isForDigits(infos, model)
  return [...brokers.keys()].filter(
    (name) => name !== model && hasClasses(infos, name) && isForDigits(infos, name) === subject,
  )
}

/** The first of them that is ready. */
export function readyStandIn(brokers: Brokers, infos: PipelineInfos, model: string): string | undefined {
  return standIns(brokers, infos, model).find((name) => brokers.get(name)?.stats().state === 'ready')
}

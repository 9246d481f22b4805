import type { Broker } from '../../broker/broker.ts'
import { readPipelineInfo } from './pipeline-info.ts'

/** Counts the predictions of models that collect pictures, to know when a look at a sample is worth a call. */
export class MissingPictures {
  // By model: predictions until there may be enough pictures.
  readonly #missing = new Map<string, number>()

  /** `enough` is called when a model may have enough pictures. */
  constructor(brokers: ReadonlyMap<string, Broker>, enough: (model: string, broker: Broker) => void) {
    for (const [model, broker] of brokers) {
      // Another child has begun a sample of its own.
      broker.on('info', () => this.#begin(model, broker))
      this.#begin(model, broker)
      broker.on('call', ({ method, outcome }) => {
        const missing = this.#missing.get(model)
        if (missing === undefined || method !== 'predict' || outcome !== 'result') return
        this.#missing.set(model, missing - 1)
        if (missing > 1) return
        this.#missing.delete(model)
        enough(model, broker)
      })
    }
  }

  /** There were fewer than was thought, since some were equal. */
  wait(model: string, missing: number): void {
    this.#missing.set(model, missing)
  }

  #begin(model: string, broker: Broker): void {
    const { calibration } = readPipelineInfo(broker.stats())
    if (calibration === null) this.#missing.delete(model)
    else this.#missing.set(model, calibration)
  }
}

import type { HostStats } from '../broker/state.ts'
import type { Announcement, PipelineNews } from './wire.ts'

/** How often each model host says that it is there. */
export const BEAT_MS = 2000
/** One word has been missed. */
const QUIET_AFTER_MS = BEAT_MS + 1000
/** Three words have been missed, and the network had half a second for the last one. */
export const SILENT_AFTER_MS = 3 * BEAT_MS + 500

interface Host {
  readonly name: string
  readonly boot: string
  readonly news: ReadonlyMap<string, PipelineNews>
  heardAt: number
}

export interface HostId {
  readonly name: string
  readonly boot: string
}

/** What all hosts say of one pipeline. */
export interface PipelineView {
  readonly news: readonly PipelineNews[]
  /** how many calls all hosts together hold at once */
  readonly capacity: number
  /** of most ready hosts; of the first by id if two are equally frequent */
  readonly infoId: string | undefined
}

export interface HostHooks {
  /** The pipelines of this host have changed. */
  changed(pipelines: Iterable<string>): void
  came(host: HostId, pipelines: Iterable<string>): void
  leaving(host: HostId, pipelines: Iterable<string>): void
  /** The host has been silent for too long. */
  lost(host: HostId, pipelines: Iterable<string>): void
  /** A host has been silent for longer than usual. */
  quiet(): void
  /** A host has an `info` that is not known. */
  unknownInfo(): void
}

// More hosts than one RabbitMQ can serve. Further hosts work, but are not listed.
const MAX_HOSTS = 2000
const MAX_INFOS = 200

/** The model hosts that have announced themselves, by boot id. */
export class HostList {
  readonly #hooks: HostHooks
  readonly #hosts = new Map<string, Host>()
  // By infoId, the most recently used last. An info stays known for answers that come after the host has gone.
  readonly #infos = new Map<string, unknown>()
  // By pipeline, until a host says something new: each call asks, and a fleet has thousands of hosts.
  readonly #views = new Map<string, PipelineView>()

  constructor(hooks: HostHooks) {
    this.#hooks = hooks
  }

  info(infoId: unknown): unknown {
    return typeof infoId === 'string' ? this.#infos.get(infoId) : undefined
  }

  heard(announcement: Announcement): void {
    const { name, boot, leaving } = announcement
    const news = new Map(announcement.pipelines.map((one) => [one.name, one]))
    for (const { infoId, info } of news.values()) if (info !== undefined) this.#learn(infoId, info)
    const known = this.#hosts.get(boot)
    if (!known && (leaving || this.#hosts.size >= MAX_HOSTS)) return
    this.#views.clear()
    if (leaving) {
      this.#hosts.delete(boot)
      this.#hooks.leaving({ name, boot }, news.keys())
    } else {
      this.#hosts.set(boot, { name, boot, news, heardAt: performance.now() })
      if (!known) this.#hooks.came({ name, boot }, news.keys())
    }
    this.#hooks.changed(news.keys())
    const isUnknown = (infoId: string) => infoId !== '' && !this.#infos.has(infoId)
    if ([...news.values()].some(({ infoId }) => isUnknown(infoId))) this.#hooks.unknownInfo()
  }

  /** Forgets hosts that have been silent for too long. */
  look(): void {
    const now = performance.now()
    const hosts = [...this.#hosts.values()]
    if (hosts.some(({ heardAt }) => heardAt < now - QUIET_AFTER_MS)) this.#hooks.quiet()
    for (const host of hosts) if (host.heardAt < now - SILENT_AFTER_MS) this.#lose(host)
  }

  /** While the connection was lost, or RabbitMQ accepted no messages, no host could be heard. */
  excuse(): void {
    for (const host of this.#hosts.values()) host.heardAt = performance.now()
  }

  view(pipeline: string): PipelineView {
    const known = this.#views.get(pipeline)
    if (known) return known
    const news = [...this.#hosts.values()].flatMap((host) => host.news.get(pipeline) ?? [])
    const capacity = news.reduce((sum, one) => sum + one.capacity, 0)
    const view = { news, capacity, infoId: mostFrequentInfo(news) }
    this.#views.set(pipeline, view)
    return view
  }

  statsOf(pipeline: string): HostStats[] {
    const now = performance.now()
    return [...this.#hosts.values()].flatMap(({ name, boot, news, heardAt }) => {
      const own = news.get(pipeline)
      if (own === undefined) return []
      const { state, infoId, children, capacity, inFlight, rate, restarts, redelivered } = own
      const figures = { children, capacity, inFlight, rate, restarts, redelivered }
      return [{ name, boot, state, info: this.info(infoId), ...figures, age: now - heardAt }]
    })
  }

  #lose({ name, boot, news }: Host): void {
    this.#hosts.delete(boot)
    this.#views.clear()
    this.#hooks.lost({ name, boot }, news.keys())
    this.#hooks.changed(news.keys())
  }

  #learn(infoId: string, info: unknown): void {
    if (infoId === '' || this.#infos.has(infoId)) return
    this.#infos.set(infoId, info)
    const [oldest] = this.#infos.keys()
    if (this.#infos.size > MAX_INFOS && oldest !== undefined) this.#infos.delete(oldest)
  }
}

function mostFrequentInfo(news: readonly PipelineNews[]): string | undefined {
  const counts = new Map<string, number>()
  for (const { state, infoId } of news)
    if (state === 'ready') counts.set(infoId, (counts.get(infoId) ?? 0) + 1)
  const [best] = [...counts].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
  return best?.[0]
}

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { until } from './broker.ts'
import { closeAfterRun, killProcessesIn } from './leftovers.ts'
import { sharedBetweenSuites } from './shared-service.ts'
import { temporaryFolder } from './temporary-folder.ts'

const PROGRAM = '/usr/lib/rabbitmq/bin/rabbitmq-server'
const CONTROL = '/usr/lib/rabbitmq/bin/rabbitmqctl'
/** Far below the default, so that a test reaches the limit with little data. */
export const MAX_MESSAGE_BYTES = 2_000_000
/** Seven seconds on a machine with nothing else to do. */
const START_WITHIN_MS = 60_000

/** False where RabbitMQ is not installed: the tests of the fleet are skipped there. */
export const HAS_RABBITMQ = existsSync(PROGRAM)

export interface RabbitMq {
  readonly url: string
  readonly port: number
  readonly node: Node
  /** of the process, whose group has all processes of RabbitMQ; undefined while none runs */
  readonly pid: number | undefined
  /** Ends it without warning, and keeps its data. */
  kill(): Promise<void>
  /** Starts it again, with its data. */
  start(): Promise<void>
  control(...args: string[]): Promise<string>
  stop(): Promise<void>
}

/** What the nodes of a cluster know of each other. */
interface Node {
  readonly name: string
  /** has the Erlang cookie */
  readonly home: string
  readonly epmd: number
}

/** Several nodes; each keeps its own queues, and the quorum queues are on all of them. */
export async function startCluster(size: number): Promise<RabbitMq[]> {
  const first = await startRabbitMq()
  const nodes = [first]
  while (nodes.length < size) {
    const node = await startRabbitMq('127.0.0.1', first.node)
    await node.control('stop_app')
    await node.control('join_cluster', first.node.name)
    await node.control('start_app')
    nodes.push(node)
  }
  return nodes
}

/** A RabbitMQ of its own: own ports, own data, and its own Erlang cookie if it is not to join another one. */
export async function startRabbitMq(host = '127.0.0.1', other?: Node): Promise<RabbitMq> {
  const folder = temporaryFolder()
  const [port, distribution, ownEpmd] = await Promise.all([freePort(), freePort(), freePort()])
  const { home = join(folder, 'home'), epmd = ownEpmd } = other ?? {}
  const node = { name: `tandem${port}@localhost`, home, epmd }
  const plugins = join(folder, 'enabled_plugins')
  writeFileSync(plugins, '[].\n')
  const config = join(folder, 'rabbitmq.conf')
  writeFileSync(
    config,
    `listeners.tcp.1 = ${host}:${port}\nloopback_users = none\ndisk_free_limit.absolute = 50MB\nmax_message_size = ${MAX_MESSAGE_BYTES}\n`,
  )
  mkdirSync(home, { recursive: true })
  const env = {
    PATH: process.env.PATH ?? '',
    TMPDIR: folder,
    HOME: home,
    RABBITMQ_NODENAME: node.name,
    RABBITMQ_NODE_PORT: String(port),
    RABBITMQ_DIST_PORT: String(distribution),
    RABBITMQ_MNESIA_BASE: join(folder, 'mnesia'),
    RABBITMQ_LOG_BASE: join(folder, 'log'),
    RABBITMQ_ENABLED_PLUGINS_FILE: plugins,
    RABBITMQ_CONFIG_FILE: config,
    ERL_EPMD_PORT: String(epmd),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    // Erlang's schedulers would spin while they wait, and take the CPU from the tests.
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '+S 1:1 +sbwt none +sbwtdcpu none +sbwtdio none',
    RABBITMQ_CTL_ERL_ARGS: '+S 1:1 +sbwt none',
  }
  let running: ChildProcess | undefined
  const rabbit: RabbitMq = {
    url: `amqp://guest:guest@${host}:${port}`,
    port,
    node,
    get pid() {
      return running?.pid
    },
    async start() {
      // In a group of its own: the program is a script, and the server is its child.
      running = spawn(PROGRAM, { env, detached: true, stdio: ['ignore', 'ignore', 'ignore'] })
      await until(() => answers(host, port), START_WITHIN_MS, 'RabbitMQ answers')
    },
    async kill() {
      if (running?.pid === undefined) return
      const exit = once(running, 'exit')
      process.kill(-running.pid, 'SIGKILL')
      await exit
      running = undefined
      await until(async () => !(await answers(host, port)), START_WITHIN_MS, 'RabbitMQ is gone')
    },
    async control(...args) {
      const child = spawn(CONTROL, ['-n', env.RABBITMQ_NODENAME, ...args], {
        env,
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      let output = ''
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk))
      const [code] = await once(child, 'close')
      if (code !== 0) throw new Error(`rabbitmqctl ${args.join(' ')} has failed: ${output}`)
      return output
    },
    async stop() {
      await rabbit.kill()
      // Erlang's daemon of names has left the group.
      killProcessesIn(folder)
    },
  }
  closeAfterRun(() => rabbit.stop())
  await rabbit.start()
  return rabbit
}

/** One RabbitMQ for all suites of a process. Call it inside `describe`; where there is none, the suite is skipped. */
export const sharedRabbitMq = sharedBetweenSuites(() => startRabbitMq())

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address ? address.port : 0
}

/** RabbitMQ listens before it accepts: only the first frame of the protocol says that it is there. */
function answers(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 1000 })
    const settle = (isThere: boolean) => {
      socket.destroy()
      resolve(isThere)
    }
    socket.once('connect', () => socket.write(Buffer.from([65, 77, 81, 80, 0, 0, 9, 1])))
    socket.once('data', () => settle(true))
    for (const event of ['error', 'timeout', 'close']) socket.once(event, () => settle(false))
  })
}

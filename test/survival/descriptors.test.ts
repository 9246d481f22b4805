import { execFile } from 'node:child_process'
import type { Socket } from 'node:net'
import { expect } from 'chai'
import { PLACES } from '../support/environment.ts'
import { openSocket } from '../support/open-socket.ts'
import { programArgs } from '../support/program.ts'
import { scripted, startService, until } from '../support/service.ts'

const FEW = 96
const SOME = 300
const OTHER_ADDRESSES = ['127.0.0.2', '127.0.0.3', '127.0.0.4']

/** Only Linux tells a process its limit, and has all of 127.0.0.0/8 as its own addresses. */
const describeOnLinux = process.platform === 'linux' ? describe : describe.skip

describeOnLinux('File descriptors', () => {
  it(`of which there are ${FEW} are too few: the start ends with one sentence and status 1`, async () => {
    const { code, output } = await new Promise<{ code: unknown; output: string }>((resolve) => {
      execFile('sh', limited(FEW), { env: { ...PLACES, ...scripted({}) } }, (error, stdout, stderr) =>
        resolve({ code: error?.code, output: stdout + stderr }),
      )
    })
    expect(output).to.equal(
      `Tandem needs at least 256 file descriptors, but the limit is ${FEW}; raise it with "ulimit -n".\n`,
    )
    expect(code).to.equal(1)
  })

  it(`of which there are ${SOME} are not used up by connections: a child that dies is replaced`, async () => {
    const service = await startService(scripted({}), [], limited(SOME), undefined, 'sh')
    await service.ready()
    const sockets = OTHER_ADDRESSES.flatMap((address) =>
      Array.from({ length: SOME / 2 }, () => openSocket(service.url, address).resume()),
    )
    await Promise.all(sockets.map(settled))
    const { pid } = await service.line('child started')
    process.kill(Number(pid), 'SIGKILL')
    await until(() => service.logs.filter(({ msg }) => msg === 'child started').length > 1, 'another child')
    await until(async () => (await fetch(`${service.url}/readyz`)).ok, 'the readiness of this child')
    expect((await fetch(`${service.url}/model`, { method: 'POST', body: 'input' })).status).to.equal(200)
    expect(
      await service.line('the limit of file descriptors allows fewer connections than MAX_CONNECTIONS'),
    ).to.include({
      level: 40,
      maxConnections: 2000,
    })
    for (const socket of sockets) socket.destroy()
    await service.stop()
  }).timeout(30_000)
})

/** Arguments of a shell that starts the service with so many descriptors. */
function limited(descriptors: number): string[] {
  return [
    '-c',
    `ulimit -n ${descriptors}; exec "$@"`,
    'sh',
    process.execPath,
    ...programArgs('StartService.ts'),
  ]
}

function settled(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once('connect', resolve).once('close', () => resolve()))
}

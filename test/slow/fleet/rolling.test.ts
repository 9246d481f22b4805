import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { expect } from 'chai'
import { describeFleet } from '../../support/fleet.ts'
import { closeAfterRun } from '../../support/leftovers.ts'
import { allReady, type Service, scripted, startService, until } from '../../support/service.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const NGINX = '/usr/sbin/nginx'
const MINUTE_MS = 60_000
const GUESS = { index: 0, label: 'cat', name: 'cat', full: 'cat', probability: 1 }

describeFleet('Behind nginx', function (rabbit) {
  this.timeout(5 * MINUTE_MS)
  before(function () {
    if (!existsSync(NGINX)) this.skip()
  })

  it('all web and model hosts are restarted one after the other: no request fails', async () => {
    const settings = {
      ...scripted({ version: 'one', answer: [GUESS], predictMs: 20 }),
      AMQP_URL: rabbit().url,
      SIGNING_KEYS: 'a-key-of-all-the-web-hosts',
      TRUST_PROXY: '1',
    }
    const ports = [await freePort(), await freePort()]
    const start = (role: string, port = 0) => startService({ ...settings, ROLE: role, PORT: String(port) })
    const webs = await Promise.all(ports.map((port) => start('web', port)))
    const models = [await start('model'), await start('model')]
    await Promise.all([...webs, ...models].map((service) => allReady(service)))
    const proxy = await startNginx(ports)

    // An id that one web host has signed, and that another one must accept.
    const first = await fetch(`http://127.0.0.1:${ports[0]}/model`, { method: 'POST', body: 'first' })
    const id = first.headers.get('X-Report-Id') ?? ''
    const report = await fetch(`http://127.0.0.1:${ports[1]}/feedback`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
      body: JSON.stringify({ report: 'dog', id }),
    })
    expect(await report.json()).to.deep.equal({ message: 'Thanks for your feedback', success: true })

    let isOver = false
    const failures: string[] = []
    let answered = 0
    const client = async (number: number) => {
      for (let i = 0; !isOver; i++) {
        const body = `picture ${number} ${i}`
        const answer = await fetch(`${proxy}/model`, { method: 'POST', body }).catch((error: Error) => error)
        if (answer instanceof Error) failures.push(answer.message)
        else if (answer.status !== 200) failures.push(`${answer.status} ${await answer.text()}`)
        else if ((await answer.text()).includes('"cat"')) answered++
      }
    }
    const clients = Promise.all(Array.from({ length: 6 }, (_, number) => client(number)))
    for (const [i, web] of webs.entries()) {
      await delay(500)
      expect((await web.stop()).code).to.equal(0)
      const next = await start('web', ports[i])
      await allReady(next)
      webs[i] = next
    }
    for (const [i, model] of models.entries()) {
      await delay(500)
      expect((await model.stop()).code).to.equal(0)
      const next = await start('model')
      await allReady(next)
      models[i] = next
    }
    await delay(500)
    isOver = true
    await clients
    expect(failures).to.deep.equal([])
    expect(answered).to.be.greaterThan(100)
    await Promise.all([...webs, ...models].map((service: Service) => service.stop()))
  })
})

/** nginx in front of the web hosts. A web host that refuses or ends is passed over. */
async function startNginx(ports: readonly number[]): Promise<string> {
  const folder = temporaryFolder()
  mkdirSync(join(folder, 'logs'))
  const port = await freePort()
  writeFileSync(
    join(folder, 'nginx.conf'),
    `worker_processes 1;
daemon off;
pid ${folder}/nginx.pid;
error_log ${folder}/logs/error.log;
events { worker_connections 256; }
http {
  access_log off;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  upstream web { ${ports.map((one) => `server 127.0.0.1:${one} max_fails=0;`).join(' ')} }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://web;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header Host $host;
      proxy_next_upstream error timeout http_503 non_idempotent;
    }
  }
}
`,
  )
  const nginx = spawn(NGINX, ['-c', join(folder, 'nginx.conf'), '-p', folder], {
    env: { ...process.env, TMPDIR: folder },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  nginx.once(
    'exit',
    closeAfterRun(() => nginx.kill('SIGTERM')),
  )
  const url = `http://127.0.0.1:${port}`
  await until(
    () =>
      fetch(url).then(
        () => true,
        () => false,
      ),
    'nginx',
  )
  return url
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address ? address.port : 0
}

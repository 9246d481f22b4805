import { execFile, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { deployFile } from './deploy.ts'
import { closeAfterRun } from './leftovers.ts'
import { until } from './service.ts'
import { temporaryFolder } from './temporary-folder.ts'

export const NGINX = '/usr/sbin/nginx'
export const HAS_NGINX = existsSync(NGINX) && existsSync('/usr/bin/openssl')

export interface Nginx {
  /** https, with a certificate that nobody knows */
  readonly url: string
  stop(): void
}

/** The site of deploy/nginx with ports, a certificate and web hosts of a test; everything else is as it stands there. */
export class NginxSite {
  readonly #folder = temporaryFolder()
  readonly #upstream: string
  port = 0

  /** `upstream` is a file of deploy/nginx. */
  constructor(upstream: string) {
    this.#upstream = deployFile(`nginx/${upstream}`)
  }

  async write(webs: readonly string[] = []): Promise<void> {
    const tls = join(this.#folder, 'tls')
    for (const name of ['logs', 'tls']) mkdirSync(join(this.#folder, name))
    const openssl = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
    const files = ['-keyout', join(tls, 'tandem.key'), '-out', join(tls, 'tandem.pem')]
    execFileSync('openssl', [...openssl, ...files, '-days', '1', '-subj', '/CN=tandem.example.com'], {
      stdio: 'ignore',
    })
    this.port = await freePort()
    const site = replaced(deployFile('nginx/tandem.conf'), [
      ['listen 80;', `listen 127.0.0.1:${await freePort()};`],
      ['listen 443 ssl;', `listen 127.0.0.1:${this.port} ssl;`],
      ['/etc/ssl/tandem/tandem.pem', join(tls, 'tandem.pem')],
      ['/etc/ssl/tandem/tandem.key', join(tls, 'tandem.key')],
    ])
    const server = 'server 127.0.0.1:2017 max_fails=0;'
    const upstream =
      webs.length === 0
        ? this.#upstream
        : replaced(this.#upstream, [
            [server, webs.map((web) => server.replace('127.0.0.1:2017', web)).join('\n')],
          ])
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (kind) => `${kind}_temp_path ${join(this.#folder, kind)};`,
    )
    // Without this, root would start workers as a user that cannot write into the folder.
    const user = process.getuid?.() === 0 ? 'user root;' : ''
    const main = `${user}
worker_processes 1;
daemon off;
pid ${this.#folder}/nginx.pid;
error_log ${this.#folder}/logs/error.log;
events { worker_connections 256; }
http {
access_log off;
${temporary.join('\n')}
${upstream}
${site}
}
`
    writeFileSync(join(this.#folder, 'nginx.conf'), main)
  }

  /** `nginx -t`; throws with the complaint of nginx. */
  async check(): Promise<void> {
    await promisify(execFile)(NGINX, ['-t', ...this.#args()])
  }

  async start(): Promise<Nginx> {
    const nginx = spawn(NGINX, this.#args(), { stdio: 'ignore' })
    const stop = () => void nginx.kill('SIGTERM')
    nginx.once('exit', closeAfterRun(stop))
    await until(() => existsSync(join(this.#folder, 'nginx.pid')), 'nginx')
    return { url: `https://127.0.0.1:${this.port}`, stop }
  }

  #args(): string[] {
    return ['-c', join(this.#folder, 'nginx.conf'), '-p', this.#folder]
  }
}

/** False for Debian 12, whose nginx knows no "resolve" in an upstream. */
export function nginxResolves(): boolean {
  // nginx -v writes to stderr.
  const text = execFileSync('sh', ['-c', `${NGINX} -v 2>&1`], { encoding: 'utf8' })
  const [, major = 0, minor = 0, patch = 0] = /nginx\/(\d+)\.(\d+)\.(\d+)/.exec(text) ?? []
  return Number(major) * 1e6 + Number(minor) * 1e3 + Number(patch) >= 1_027_003
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address ? address.port : 0
}

function replaced(text: string, changes: readonly (readonly [from: string, to: string])[]): string {
  let result = text
  for (const [from, to] of changes) {
    if (!result.includes(from)) throw new Error(`deploy/nginx has no ${from}`)
    result = result.replaceAll(from, to)
  }
  return result
}

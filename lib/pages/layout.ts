import { type Html, html, type Piece } from './html.ts'
import { PUBLIC_FILES } from './public-files.ts'

/** What is the same on every page of a service. */
export interface Site {
  readonly version: string
  /** the model with the pad to draw on, if one is served */
  readonly pad: string | undefined
  /** whether /vgg has a model that answers it */
  readonly classifies: boolean
}

export interface PageParts {
  readonly title: string
  readonly main: Piece
  /** the address of the page, whose entry in the navigation is marked */
  readonly path?: string
  /** the entry to mark when the page has none of its own */
  readonly section?: string
  /** files of public/, in addition to style.css and parts.css; scripts are modules, and the page must work without them */
  readonly styles?: readonly string[]
  readonly scripts?: readonly string[]
}

/** The address of the pad, if there is one. */
export function padPath({ pad }: Site): string | undefined {
  return pad === undefined ? undefined : `/${pad}`
}

function navigation(site: Site): readonly (readonly [href: string, name: string])[] {
  const pad = padPath(site)
  return [
    ...(site.classifies ? [['/vgg', 'Classify'] as const] : []),
    ...(pad === undefined ? [] : [[pad, 'Digits'] as const]),
    ['/status', 'Status'],
    ['/docs', 'API'],
  ]
}

/** The frame of every page. */
export function layout(site: Site, parts: PageParts): string {
  const { title, main, path = '', section = '', styles = [], scripts = [] } = parts
  const entries = navigation(site)
  // A pad that also answers /vgg has two entries. Only the entry of the current address is marked.
  const isEntry = entries.some(([href]) => href === path)
  const page: Html = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="theme-color" content="#f4f6f3" media="(prefers-color-scheme: light)">
<meta name="theme-color" content="#101513" media="(prefers-color-scheme: dark)">
<title>${title} · Tandem</title>
<link rel="icon" href="${PUBLIC_FILES.url('favicon.svg')}" type="image/svg+xml">
${['style.css', 'parts.css', ...styles].map(
  (file) => html`<link rel="stylesheet" href="${PUBLIC_FILES.url(file)}">
`,
)}${importsOf(scripts).map(
  (file) => html`<link rel="modulepreload" href="${PUBLIC_FILES.url(file)}">
`,
)}${scripts.map(
  (file) => html`<script type="module" src="${PUBLIC_FILES.url(file)}"></script>
`,
)}</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header class="top">
<a class="brand" href="/"${current('/', path)}>${logo()}<span>Tandem</span></a>
<nav aria-label="Pages">
${entries.map(
  ([href, name]) =>
    html`<a href="${href}"${current(href, path) || (!isEntry && belongs(href, section))}>${name}</a>
`,
)}</nav>
</header>
<main id="main" tabindex="-1">
${main}
</main>
<footer class="bottom">
<p>Tandem ${site.version} <span aria-hidden="true">·</span> classifies images from Node</p>
<p><a href="/openapi.json">openapi.json</a> <a href="/readyz">readyz</a> <a href="/metrics">metrics</a></p>
</footer>
</body>
</html>
`
  return page.toString()
}

/** The modules that the scripts import. Preloading saves a round trip for each level of imports. */
function importsOf(scripts: readonly string[]): string[] {
  const all = new Set(scripts.flatMap((script) => PUBLIC_FILES.imports(script)))
  return [...all].filter((file) => !scripts.includes(file))
}

function current(href: string, path: string): Html | false {
  return href === path && html` aria-current="page"`
}

function belongs(href: string, section: string): Html | false {
  return href === section && html` aria-current="true"`
}

/** A tandem: one wheel is the web process, the other one the child process. */
function logo(): Html {
  return html`<svg class="logo" viewBox="0 0 40 24" aria-hidden="true"><path class="logo-frame" d="M9 15 15 6h10l6 9M15 6l5 9 5-9M9 15h22"/><circle class="logo-front" cx="9" cy="15" r="6.5"/><circle class="logo-back" cx="31" cy="15" r="6.5"/></svg>`
}

import { type Html, html, type Piece } from '../html.ts'

export interface PageParts {
  readonly title: string
  readonly main: Piece
}

/** The frame of every page. */
export function layout({ title, main }: PageParts): string {
  const page: Html = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · Tandem</title>
</head>
<body>
<main>
${main}
</main>
</body>
</html>
`
  return page.toString()
}

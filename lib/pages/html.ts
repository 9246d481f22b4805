/** Markup that is safe to put into a page. Only `html` makes Html, so that no text gets into a page unescaped. */
export class Html {
  readonly #markup: string

  constructor(markup: string) {
    this.#markup = markup
  }

  toString(): string {
    return this.#markup
  }
}

export type Piece = Html | string | number | false | null | undefined | readonly Piece[]

/** A template of a page. Each piece is escaped as text, unless the piece is the Html of another template. */
export function html(strings: TemplateStringsArray, ...pieces: readonly Piece[]): Html {
  const parts = strings.map((text, index) => text + markupOf(pieces[index]))
  return new Html(parts.join(''))
}

function markupOf(piece: Piece): string {
  if (piece === undefined || piece === null || piece === false) return ''
  if (piece instanceof Html) return piece.toString()
  if (typeof piece === 'string' || typeof piece === 'number') return escapeHtml(String(piece))
  return piece.map(markupOf).join('')
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"'`]/g, (character) => `&#${character.charCodeAt(0)};`)
}

/** What a shell needs to know of one command. */
export interface Completed {
  readonly name: string
  readonly about: string
  readonly subcommands: Readonly<Record<string, string>>
  readonly flags: readonly { readonly name: string; readonly help: string; readonly takesValue: boolean }[]
  readonly takesFiles: boolean
}

/** bash has no descriptions. Where nothing of ours fits, bash completes files. */
export function bashCompletion(commands: readonly Completed[]): string {
  const cases = commands.map(({ name, subcommands, flags }) => {
    const words = [...Object.keys(subcommands), ...flags.map(({ name }) => `--${name}`)]
    return `    ${name}) words=${quoted(words.join(' '))} ;;`
  })
  return `# Completion of tandem for bash.
_tandem() {
  local words
  COMPREPLY=()
  case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
    *) words= ;;
  esac
  if [ "$COMP_CWORD" -eq 1 ]; then words=${quoted(commands.map(({ name }) => name).join(' '))}; fi
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o bashdefault -o default -F _tandem tandem tandem-serve
`
}

export function zshCompletion(commands: readonly Completed[]): string {
  const described = (name: string, text: string) => quoted(`${name}:${text}`)
  const cases = commands.map(({ name, subcommands, flags, takesFiles }) => {
    const specs = flags.map(({ name, help, takesValue }) => {
      const text = help.replace(/[[\]:\\]/g, '\\$&')
      return quoted(`--${name}${takesValue ? '=' : ''}[${text}]${takesValue ? ':value:_files' : ''}`)
    })
    const subs = Object.entries(subcommands).map(([word, text]) => described(word, text))
    const files = takesFiles || subs.length > 0 ? ["'*:file:_files'"] : []
    const rest = `_arguments ${[...specs, ...files].join(' ')}`
    if (subs.length === 0) return `    ${name}) ${rest} ;;`
    const first = `local -a subs; subs=(${subs.join(' ')}); _describe subcommand subs`
    return `    ${name}) if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then ${first}; else ${rest}; fi ;;`
  })
  return `#compdef tandem tandem-serve
# Completion of tandem for zsh.
_tandem() {
  local -a commands
  commands=(${commands.map(({ name, about }) => described(name, about)).join(' ')})
  if (( CURRENT == 2 )); then _describe command commands; return; fi
  local name=$words[2]
  shift words
  (( CURRENT-- ))
  case $name in
${cases.join('\n')}
  esac
}
compdef _tandem tandem tandem-serve
`
}

export function fishCompletion(commands: readonly Completed[]): string {
  const lines = commands.flatMap(({ name, about, subcommands, flags, takesFiles }) => {
    const inCommand = quoted(`__fish_seen_subcommand_from ${name}`)
    return [
      `complete -c tandem -n __fish_use_subcommand -f -a ${name} -d ${quoted(about)}`,
      ...Object.entries(subcommands).map(
        ([word, text]) => `complete -c tandem -n ${inCommand} -a ${word} -d ${quoted(text)}`,
      ),
      ...flags.map(
        ({ name, help, takesValue }) =>
          `complete -c tandem -n ${inCommand} -l ${name}${takesValue ? ' -r' : ''} -d ${quoted(help)}`,
      ),
      ...(takesFiles ? [] : [`complete -c tandem -n ${inCommand} -f`]),
    ]
  })
  return `# Completion of tandem for fish.\n${lines.join('\n')}\ncomplete -c tandem-serve -w tandem\n`
}

/** A word for any of the three shells: between single quotes, where only the quote itself is special. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}

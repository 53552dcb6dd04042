/** Completion scripts for bash and zsh, from the command specs. */
import type { CommandSpec } from './command.ts';
import { GLOBAL_OPTIONS } from './program.ts';

/** Long option names of a command, `--data` and the like included. */
function optionNames(spec: CommandSpec): string[] {
  return [...(spec.options ?? []), ...GLOBAL_OPTIONS]
    .flatMap(({ flags }) => /--[a-z-]+/.exec(flags) ?? [])
    .concat('--help');
}

/** First words, and for each noun its verbs. */
function words(commands: readonly CommandSpec[]): Map<string, string[]> {
  const verbs = new Map<string, string[]>();
  for (const { path } of commands) {
    const [first = '', second] = path.split(' ');
    verbs.set(first, [...(verbs.get(first) ?? []), ...(second === undefined ? [] : [second])]);
  }
  return verbs;
}

export function bashCompletion(commands: readonly CommandSpec[]): string {
  const verbs = words(commands);
  const nouns = [...verbs].filter(([, list]) => list.length > 0);
  return `# bash completion of kubedos
_kubedos() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" noun="\${COMP_WORDS[1]}" verb="\${COMP_WORDS[2]}"
  COMPREPLY=()
  if [[ $COMP_CWORD -eq 1 ]]; then
    COMPREPLY=($(compgen -W "${[...verbs.keys()].join(' ')} --help --version" -- "$cur"))
    return
  fi
  if [[ $COMP_CWORD -eq 2 && $cur != -* ]]; then
    case "$noun" in
${nouns.map(([noun, list]) => `      ${noun}) COMPREPLY=($(compgen -W "${list.join(' ')}" -- "$cur")); return ;;`).join('\n')}
    esac
  fi
  if [[ $cur == -* ]]; then
    case "$noun $verb" in
${commands.map((spec) => `      "${spec.path}${spec.path.includes(' ') ? '"' : ' "*'}) COMPREPLY=($(compgen -W "${optionNames(spec).join(' ')}" -- "$cur")) ;;`).join('\n')}
    esac
    return
  fi
  COMPREPLY=($(compgen -f -- "$cur"))
}
complete -o filenames -F _kubedos kubedos`;
}

export function zshCompletion(commands: readonly CommandSpec[]): string {
  const verbs = words(commands);
  const nouns = [...verbs].filter(([, list]) => list.length > 0);
  return `#compdef kubedos
# zsh completion of kubedos
_kubedos() {
  if (( CURRENT == 2 )); then
    compadd -- ${[...verbs.keys()].join(' ')}
    return
  fi
  if (( CURRENT == 3 )); then
    case $words[2] in
${nouns.map(([noun, list]) => `      ${noun}) compadd -- ${list.join(' ')}; return ;;`).join('\n')}
    esac
  fi
  if [[ $PREFIX == -* ]]; then
    case "$words[2] $words[3]" in
${commands.map((spec) => `      "${spec.path}"${spec.path.includes(' ') ? '' : '*'}) compadd -- ${optionNames(spec).join(' ')} ;;`).join('\n')}
    esac
    return
  fi
  _files
}
_kubedos "$@"`;
}

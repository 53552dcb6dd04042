import { KubedosError } from '../../errors.ts';
import type { CommandSpec } from '../command.ts';
import { bashCompletion, zshCompletion } from '../completion.ts';

export function completionCommand(commands: () => readonly CommandSpec[]): CommandSpec {
  return {
    path: 'completion',
    summary: 'a completion script for bash or zsh',
    arguments: [{ name: 'shell', summary: 'bash or zsh' }],
    examples: [
      'kubedos completion bash > /etc/bash_completion.d/kubedos',
      'kubedos completion zsh > /usr/local/share/zsh/site-functions/_kubedos',
    ],
    run: async (_context, input) => {
      const shell = input.argument(0);
      if (shell !== 'bash' && shell !== 'zsh')
        throw new KubedosError('usage.argument', `completion ${shell}: expected bash or zsh`);
      const script = (shell === 'bash' ? bashCompletion : zshCompletion)(commands());
      return { data: { shell, script }, text: script };
    },
  };
}

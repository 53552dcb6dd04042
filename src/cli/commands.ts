/** All commands, in the order of the help. */
import type { CommandSpec } from './command.ts';
import { ARTIFACT_COMMANDS } from './commands/artifact.ts';
import { bakeCommand } from './commands/bake.ts';
import { BUNDLE_COMMANDS } from './commands/bundle.ts';
import { CHANNEL_COMMANDS } from './commands/channel.ts';
import { clientConfigCommand } from './commands/client-config.ts';
import { completionCommand } from './commands/completion.ts';
import { darksiteCheckCommand } from './commands/darksite.ts';
import { INIT_COMMANDS } from './commands/init.ts';
import { KEY_COMMANDS } from './commands/key.ts';
import { KEY_ROOT_COMMANDS } from './commands/key-root.ts';
import { keyRotateCommand } from './commands/key-rotate.ts';
import { MIRROR_COMMANDS } from './commands/mirror.ts';
import { REPO_COMMANDS } from './commands/repo.ts';
import { searchCommand } from './commands/search.ts';
import { serveCommand } from './commands/serve.ts';
import { SNAPSHOT_COMMANDS } from './commands/snapshot.ts';
import { SPEC_COMMANDS } from './commands/spec.ts';
import { startCommand } from './commands/start.ts';
import { STORE_COMMANDS } from './commands/store.ts';
import { TOKEN_COMMANDS } from './commands/token.ts';

export const COMMANDS: readonly CommandSpec[] = [
  startCommand,
  ...INIT_COMMANDS,
  ...SPEC_COMMANDS,
  ...MIRROR_COMMANDS,
  ...KEY_COMMANDS,
  keyRotateCommand,
  ...KEY_ROOT_COMMANDS,
  ...SNAPSHOT_COMMANDS,
  ...CHANNEL_COMMANDS,
  serveCommand,
  clientConfigCommand,
  ...BUNDLE_COMMANDS,
  darksiteCheckCommand,
  ...REPO_COMMANDS,
  bakeCommand,
  ...ARTIFACT_COMMANDS,
  searchCommand,
  ...STORE_COMMANDS,
  ...TOKEN_COMMANDS,
  completionCommand(() => COMMANDS),
];

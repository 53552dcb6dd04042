/** `npm run docs`: writes docs/cli.md, docs/errors.md and the JSON Schema of mirror specs. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { mirrorSpecJsonSchema } from '../spec/mirror-spec.ts';
import { INSTALLATION } from '../wiring.ts';
import { COMMANDS } from './commands.ts';
import { cliMarkdown, errorsMarkdown } from './docs.ts';

const docs = join(INSTALLATION, 'docs');
mkdirSync(join(docs, 'schema'), { recursive: true });
writeFileSync(join(docs, 'cli.md'), cliMarkdown(COMMANDS));
writeFileSync(join(docs, 'errors.md'), errorsMarkdown());
writeFileSync(join(docs, 'schema', 'mirror-spec.schema.json'), `${JSON.stringify(mirrorSpecJsonSchema(), null, 2)}\n`);

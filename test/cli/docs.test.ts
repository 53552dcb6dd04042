import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { COMMANDS } from '../../src/cli/commands.ts';
import { cliMarkdown, errorsMarkdown } from '../../src/cli/docs.ts';
import { INSTALLATION } from '../../src/wiring.ts';

const page = (name: string): string => readFileSync(join(INSTALLATION, 'docs', name), 'utf8');

it('docs/cli.md is what the commands say (npm run docs)', () => {
  expect(page('cli.md')).toBe(cliMarkdown(COMMANDS));
});

it('docs/errors.md is what src/errors.ts says (npm run docs)', () => {
  expect(page('errors.md')).toBe(errorsMarkdown());
});

it('every command has an example that begins with kubedos and its own words, or with what is piped into it', () => {
  for (const { path, examples } of COMMANDS) {
    expect(examples.length, path).toBeGreaterThan(0);
    for (const example of examples) expect(example).toContain(`kubedos ${path}`);
  }
});

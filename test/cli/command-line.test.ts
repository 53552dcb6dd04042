import { writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CommandLine } from '../support/command-line.ts';

let line: CommandLine;
beforeEach(() => {
  line = new CommandLine();
});
afterEach(() => line.remove());

const kubedos = (...args: string[]) => line.kubedos(args);

describe('kubedos', () => {
  it('shows help with every noun, and examples for a command', async () => {
    const top = await kubedos('--help');
    expect(top.status).toBe(0);
    for (const word of ['mirror', 'snapshot', 'bundle', 'store', 'serve']) expect(top.out).toContain(word);
    const one = await kubedos('bundle', 'export', '--help');
    expect(one.out).toContain('Examples:');
    expect(one.out).toContain('--volume-size <size>');
  });

  it('makes a store once, with a key of mode 0600 and a root to read out', async () => {
    const first = await kubedos('init', '--json');
    expect(first.status).toBe(0);
    expect(JSON.parse(first.out)).toMatchObject({
      key: { algorithm: expect.any(String) },
      rootFingerprint: expect.stringMatching(/^[0-9A-F]{40}$/),
    });
    const again = await kubedos('init');
    expect(again.status).toBe(5);
    expect(again.err).toContain('[store.exists]');
  });

  it('takes the root key as it is read out, and tells of a slip before it makes anything', async () => {
    await kubedos('init');
    const short = (await kubedos('key', 'root')).out.trim();
    expect(short).toMatch(/^([0-9A-F]{4} ){10}[a-z]{5}$/);
    const dark = { KUBEDOS_DATA: line.path('dark') };
    const slip = short.replace(/^./, (digit) => (digit === '0' ? '1' : '0'));
    const refused = await line.kubedos(['init', '--trust', slip], dark);
    expect([refused.status, refused.err]).toEqual([2, expect.stringContaining('one of them is mistyped')]);
    const taken = await line.must(['init', '--no-key', '--trust', ...short.toLowerCase().split(' '), '--json'], dark);
    expect(taken.json).toMatchObject({ trusted: [short.slice(0, -6).replaceAll(' ', '')] });
    expect((await line.must(['key', 'trust', ...short.split(' ')], dark)).out).toContain(short);
  });

  it('says what is missing and what to do, by status and in JSON', async () => {
    const text = await kubedos('snapshot', 'list');
    expect(text.status).toBe(4);
    expect(text.err).toContain('kubedos init');
    const json = await kubedos('snapshot', 'list', '--json');
    expect(JSON.parse(json.err)).toMatchObject({ error: { code: 'store.none' } });
  });

  it('refuses unknown words and values as usage errors', async () => {
    expect((await kubedos('nonsense')).status).toBe(2);
    await kubedos('init');
    expect((await kubedos('bundle', 'export', '--to', line.dir, '--channel', 'x', '--parity', 'much')).status).toBe(2);
    expect((await kubedos('snapshot', 'prune', '--keep', 'everything')).status).toBe(2);
  });

  it('names file and line of a fault in a spec', async () => {
    const file = line.path('bad.yaml');
    writeFileSync(file, 'name: bad\ntype: apt\nform: verbatim\nupstreams:\n  - url: ftp://example.org\n');
    const { status, err } = await kubedos('spec', 'check', file);
    expect(status).toBe(2);
    expect(err).toContain(`${file}:5`);
  });

  it('asks before it destroys', async () => {
    await kubedos('init');
    const none = await kubedos('channel', 'remove', 'stable', '--yes');
    expect(none.status).toBe(4);
  });
});

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { curatedMirror } from '../support/cli-mirror.ts';
import { CommandLine } from '../support/command-line.ts';

let line: CommandLine;
beforeEach(() => {
  line = new CommandLine();
});
afterEach(() => line.remove());

const SECRET = { KUBEDOS_PASSPHRASE: 'open sesame' };

describe('a key with a passphrase', () => {
  it('is asked for where something is signed, and not by a sync that changes nothing', async () => {
    await line.must(['init', '--passphrase'], SECRET);
    const { spec, upstream } = await curatedMirror(line);
    try {
      const locked = await line.kubedos(['mirror', 'sync', spec]);
      expect([locked.status, locked.err]).toEqual([3, expect.stringContaining('[trust.passphrase]')]);
      await line.must(['mirror', 'sync', spec], SECRET);
      expect((await line.must(['mirror', 'sync', spec])).out).toContain('site: up to date');
    } finally {
      await upstream.close();
    }
  });
});

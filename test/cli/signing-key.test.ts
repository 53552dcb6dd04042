import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AptClient } from '../support/apt-client.ts';
import { curatedMirror } from '../support/cli-mirror.ts';
import { CommandLine } from '../support/command-line.ts';
import { gnuPg } from '../trust/gnupg.ts';

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

describe('key rotate', () => {
  interface Clients {
    /** Knows the key before only. */
    readonly old: AptClient;
    /** Has the lines that are handed out after the change. */
    readonly current: AptClient;
  }

  const lines = async (url: string): Promise<string> =>
    (await line.must(['client-config', 'site', '--channel', 'lab', '--url', url])).out;
  const keysOf = (sources: string): string => sources.slice(sources.indexOf('Signed-By:')).trim();
  const served = async (url: string): Promise<string> => (await fetch(`${url}/api/client-config/lab/site`)).text();
  const check = async (): Promise<number> => (await line.kubedos(['store', 'check'])).status;
  const bundle = async (folder: string): Promise<number> => {
    await line.must(['bundle', 'export', '--channel', 'lab', '--to', line.path(folder)]);
    return (await line.kubedos(['bundle', 'import', line.path(folder)], dark)).status;
  };
  let dark: Record<string, string>;

  it('shows, then does it: old snapshots stay good, clients and the dark side go along', async () => {
    await line.must(['init']);
    const { json } = await line.must(['key', 'root', '--json']);
    dark = { KUBEDOS_DATA: line.path('dark') };
    await line.must(['init', '--no-key', '--trust', (json as { fingerprint: string }).fingerprint], dark);
    const { spec, upstream } = await curatedMirror(line);
    const clients: Clients = { old: await AptClient.make(), current: await AptClient.make() };
    const server = await line.serve();
    try {
      await line.must(['mirror', 'sync', spec]);
      await line.must(['snapshot', 'create', '--channel', 'lab']);
      await clients.old.setSources(await lines(server.url));
      expect(await bundle('media1')).toBe(0);
      expect(keysOf(await served(server.url))).toBe(keysOf(await lines(server.url)));
      const before = await line.must(['key', 'show']);

      const plan = (await line.must(['key', 'rotate', '--json'])).json;
      expect(plan).toMatchObject({ dryRun: true, after: null, root: 2, signedAnew: ['site'], revokeOld: false });
      expect((await line.must(['key', 'show'])).out).toBe(before.out);
      const done = (await line.must(['key', 'rotate', '--yes', '--json'])).json;
      expect(done).toMatchObject({ dryRun: false, after: expect.stringMatching(/^[0-9A-F]{40}$/) });
      expect((await line.must(['key', 'show'])).out).not.toBe(before.out);

      // What is served is as before, and the lines that are handed out now fit it.
      await clients.current.setSources(await lines(server.url));
      expect(keysOf(await served(server.url))).toBe(keysOf(await lines(server.url)));
      for (const client of Object.values(clients)) expect((await client.update()).complaints).toEqual([]);
      expect((await line.must(['mirror', 'sync', spec])).out).toContain('up to date');
      expect((await line.must(['snapshot', 'create', '--channel', 'lab', '--json'])).json).toMatchObject({
        created: true,
      });
      expect(await check()).toBe(0);
      expect((await clients.current.update()).complaints).toEqual([]);
      expect((await clients.old.update()).complaints.join('\n')).toContain('NO_PUBKEY');
      expect(await clients.current.candidate('hello')).toBe('1.0-1');

      expect(await bundle('media2')).toBe(0);
      const there = (await line.must(['snapshot', 'list', '--json'], dark)).json;
      expect(there).toHaveLength(2);
      expect((await line.kubedos(['store', 'check'], dark)).status).toBe(0);
    } finally {
      await server.stop();
      for (const client of Object.values(clients)) await client.remove();
      await upstream.close();
    }
  });

  it('revokes a stolen key: what it signed is refused', async () => {
    await line.must(['init']);
    await line.must(['repo', 'create', 'ours']);
    await line.must(['snapshot', 'create']);
    await line.must(['key', 'rotate', '--revoke-old', '--yes']);
    expect(await check()).toBe(8);
    const config = await line.kubedos(['client-config', 'ours', '--snapshot', '1']);
    expect(config.out.match(/BEGIN PGP/g)).toHaveLength(1);
  });

  it('comes after a change of the root key, and an old key can be revoked later', async () => {
    await line.must(['init']);
    const root = readFileSync(line.path('data', 'keys', 'root.asc'), 'utf8');
    const pinned = (await line.must(['key', 'root'])).out;
    const { fingerprint } = (await line.must(['key', 'show', '--json'])).json as { fingerprint: string };
    expect((await line.kubedos(['key', 'rotate-root'])).status).toBe(2);
    await line.must(['key', 'rotate-root', '--yes']);
    expect(readFileSync(line.path('data', 'keys', 'root.asc'), 'utf8')).not.toBe(root);
    expect((await line.must(['key', 'root'])).out).toBe(pinned);
    await line.must(['repo', 'create', 'ours']);
    await line.must(['snapshot', 'create']);
    expect((await line.kubedos(['key', 'revoke', fingerprint, '--yes'])).err).toContain('no key to sign with');
    await line.must(['key', 'rotate', '--yes']);
    expect(await check()).toBe(0);
    expect((await line.kubedos(['key', 'revoke', 'A'.repeat(40), '--yes'])).err).toContain(fingerprint);
    await line.must(['key', 'revoke', fingerprint, '--yes']);
    expect(await check()).toBe(8);
  });

  it('needs the root key', async () => {
    await line.must(['init']);
    renameSync(line.path('data', 'keys', 'root.asc'), line.path('offline.asc'));
    const refused = await line.kubedos(['key', 'rotate', '--yes']);
    expect([refused.status, refused.err]).toEqual([3, expect.stringContaining('bring it back')]);
  });
});

describe('a key of the user', () => {
  it('stays in GnuPG and signs from there, until a rotation', async () => {
    const gnupg = gnuPg();
    const fingerprint = gnupg.key('Owner <o@example.org>');
    const env = { GNUPGHOME: gnupg.home };
    const elsewhere = await line.kubedos(['init', '--gpg-key', 'A'.repeat(40)], env);
    expect([elsewhere.status, elsewhere.err]).toEqual([3, expect.stringContaining('set GNUPGHOME')]);
    // Nothing was made, so it can be said again.
    await line.must(['init', '--gpg-key', fingerprint], env);
    expect(readFileSync(line.path('data', 'keys', 'signing.asc'), 'utf8')).toBe(`gnupg ${fingerprint}\n`);

    await line.must(['repo', 'create', 'ours'], env);
    expect((await line.kubedos(['snapshot', 'create'])).status).toBe(3);
    await line.must(['snapshot', 'create'], env);
    await line.must(['store', 'check']);
    expect((await line.must(['key', 'show', '--json'])).json).toMatchObject({ fingerprint });

    await line.must(['key', 'rotate', '--yes']);
    await line.must(['snapshot', 'create']);
    await line.must(['store', 'check']);
    expect(readFileSync(line.path('data', 'keys', 'signing.asc'), 'utf8')).toContain('BEGIN PGP PRIVATE KEY');
    const next = gnupg.key('Next <n@example.org>');
    await line.must(['key', 'rotate', '--yes', '--gpg-key', next], env);
    expect((await line.must(['key', 'show', '--json'])).json).toMatchObject({ fingerprint: next });
  });

  it('that is brought in whole gets a root, too: bundles need one', async () => {
    const gnupg = gnuPg();
    gnupg.key('Owner <o@example.org>');
    writeFileSync(line.path('secret.asc'), gnupg.gpg(['--armor', '--export-secret-keys']));
    await line.must(['init', '--no-key']);
    await line.must(['key', 'adopt', line.path('secret.asc')]);
    await line.must(['repo', 'create', 'ours']);
    await line.must(['snapshot', 'create', '--channel', 'lab']);
    await line.must(['bundle', 'export', '--channel', 'lab', '--to', line.path('media')]);
  });
});

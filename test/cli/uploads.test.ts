import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStore } from '../../src/store/store.ts';
import { AptClient } from '../support/apt-client.ts';
import { CommandLine } from '../support/command-line.ts';
import { buildDeb } from '../support/fake-deb.ts';
import type { Served } from '../support/served.ts';

let line: CommandLine;
let server: Served;
let token: { id: string; secret: string };
let agent: Buffer;

/** `agent` 1.0 with this in it. */
const deb = (text: string, version = '1.0') =>
  buildDeb({ name: 'agent', version, architecture: 'amd64', files: { 'usr/share/agent': text } });
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

beforeAll(async () => {
  line = new CommandLine();
  await line.must(['init']);
  expect((await line.must(['repo', 'create', 'ours'])).out).toContain('ours: created, empty');
  token = (await line.must(['token', 'create', 'ci', '--repo', 'ours', '--json'])).json as typeof token;
  agent = await deb('first');
  server = await line.serve();
});
afterAll(() => line.remove());

/** curl as the manual shows it; the answer's status and JSON. */
function curl(
  path: string,
  args: readonly string[],
  secret = token.secret,
): Promise<{ status: number; json: unknown }> {
  const bearer = secret === '' ? [] : ['-H', `Authorization: Bearer ${secret}`];
  return new Promise((resolve, reject) => {
    const child = spawn('curl', ['-sS', '-w', '\n%{http_code}', ...bearer, ...args, `${server.url}/api/repos/${path}`]);
    let text = '';
    child.stdout.on('data', (chunk) => {
      text += chunk;
    });
    child.on('error', reject);
    child.on('close', () => {
      const at = text.lastIndexOf('\n');
      const body = text.slice(0, at);
      resolve({ status: Number(text.slice(at + 1)), json: body.startsWith('{') ? JSON.parse(body) : body });
    });
  });
}

function file(name: string, bytes: Uint8Array): string {
  writeFileSync(line.path(name), bytes);
  return line.path(name);
}

/** What apt gets of the channel `lab` once it names the newest state. */
async function aptDownload(): Promise<Buffer | undefined> {
  await line.must(['snapshot', 'create', '--channel', 'lab']);
  const client = await AptClient.make();
  try {
    await client.setSources((await line.must(['client-config', 'ours', '--channel', 'lab', '--url', server.url])).out);
    expect((await client.update()).complaints).toEqual([]);
    return [...(await client.download('agent')).files.values()][0];
  } finally {
    await client.remove();
  }
}

describe('uploads over HTTP', () => {
  it('are refused without the right token, also while a large body is on its way', async () => {
    const large = file('large.deb', Buffer.alloc(5_000_000, 1));
    for (const secret of ['', 'kubedos_wrong'])
      expect((await curl('ours/packages/', ['-T', large], secret)).status).toBe(401);
    expect((await curl('other/packages/', ['-T', large])).status).toBe(401);
    const { out } = await line.must(['token', 'list', '--json']);
    expect(out).not.toContain(token.secret.slice('kubedos_'.length));
  });

  it('publish a package that apt then takes, and repeat nothing', async () => {
    const path = file('agent_1.0_amd64.deb', agent);
    const first = await curl('ours/packages/', ['-T', path]);
    expect(first).toMatchObject({ status: 201, json: { changed: true, added: [{ name: 'agent', version: '1.0' }] } });
    const again = await curl('ours/packages', ['--data-binary', `@${path}`]);
    expect(again).toMatchObject({ status: 201, json: { changed: false, unchanged: [{ name: 'agent' }] } });
    expect((await aptDownload())?.equals(agent)).toBe(true);
    expect(await (await fetch(`${server.url}/api/search?q=agent`)).json()).toMatchObject([{ mirrors: ['ours'] }]);
    expect(server.err).toContain('ci changed repository ours: 1 added, 0 removed');
    expect(server.err).not.toContain(token.secret);
  });

  it('refuse other bytes under the same version with both hashes, unless forced', async () => {
    const other = await deb('second');
    const path = file('other.deb', other);
    const { status, json } = await curl('ours/packages/', ['-T', path]);
    expect(status).toBe(409);
    expect(JSON.stringify(json)).toContain(sha256(agent));
    expect(JSON.stringify(json)).toContain(sha256(other));
    const forced = await curl('ours/packages?force=true', ['--data-binary', `@${path}`]);
    expect(forced).toMatchObject({ status: 201, json: { added: [{ sha256: sha256(other) }], removed: [{}] } });
    expect((await aptDownload())?.equals(other)).toBe(true);
  });

  it('wait for another writer, who is not kept out while the server idles', async () => {
    const store = await openStore(line.path('data'));
    let before: string | undefined;
    const { upload } = await store.withWriter('a sync', async () => {
      const upload = curl('ours/packages/', ['-T', file('two.deb', await deb('third', '2.0'))]);
      await new Promise((resolve) => setTimeout(resolve, 1500));
      before = (await store.heads.read('ours'))?.manifest.root;
      return { upload };
    });
    expect((await upload).status).toBe(201);
    expect((await store.heads.read('ours'))?.manifest.root).not.toBe(before);
    await store.close();
  });

  it('remove a version', async () => {
    const path = 'ours/packages/agent?version=2.0&architecture=amd64';
    expect(await curl(path, ['-X', 'DELETE'])).toMatchObject({ status: 200, json: { removed: [{ version: '2.0' }] } });
    const { out } = await line.must(['search', 'agent', '--json']);
    expect(JSON.parse(out)).toMatchObject([{ version: '1.0' }]);
  });

  it('stop working when their token is revoked', async () => {
    await line.must(['token', 'revoke', token.id]);
    expect((await curl('ours/packages/', ['-T', file('late.deb', agent)])).status).toBe(401);
    expect(await server.stop()).toBe(0);
  });
});

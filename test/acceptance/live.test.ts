/** The system runs from RAM, without a disk, or says why not. */
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BakeReport } from '../support/baking.ts';
import { cdrom, LOGIN, MediaRoom, PATIENCE_MS } from '../support/media-room.ts';
import { MINUTE, tool } from '../support/real-debian.ts';

const FULL = Boolean(process.env.KUBEDOS_TEST_FULL);

describe('the system that runs from RAM', () => {
  let room: MediaRoom;
  let recipe: string;
  let made: BakeReport;
  let server: Server;
  beforeAll(async () => {
    room = await MediaRoom.open();
    recipe = await room.recipe('diskless', {});
    made = await room.bake(recipe, 'netboot');
    const squashfs = await artifact('squashfs');
    server = createServer((_, answer) => {
      answer.setHeader('Content-Length', sizeOf);
      createReadStream(squashfs).pipe(answer);
    });
    const sizeOf = (await stat(squashfs)).size;
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  }, 15 * MINUTE);
  afterAll(async () => {
    await new Promise((resolve) => server.close(resolve));
    await room.close();
  });

  const artifact = (ending: string): Promise<string> => room.artifact(made, ending);

  async function networkBoot(wanted: RegExp, change = (cmdline: string) => cmdline): Promise<string> {
    const cmdline = (await readFile(await artifact('cmdline'), 'utf8')).trim();
    const { port } = server.address() as AddressInfo;
    const words = `${change(cmdline)} kubedos.root=http://10.0.2.2:${port}/root.squashfs`;
    const devices = ['-kernel', await artifact('vmlinuz'), '-initrd', await artifact('initrd')];
    devices.push('-append', words, '-netdev', 'user,id=n', '-device', 'virtio-net-pci,netdev=n', '-no-reboot');
    return room.boot(wanted, 'bios', ...devices);
  }

  it(
    'fetches its root over HTTP, checks it, and needs no disk',
    async () => {
      expect(await networkBoot(LOGIN)).toMatch(/the root is what it should be[\s\S]*Debian GNU\/Linux 12/);
    },
    PATIENCE_MS,
  );

  if (FULL) {
    it(
      'does not start with another root than the command line says',
      async () => {
        const other = (cmdline: string) => cmdline.replace(/sha256=../, 'sha256=00');
        expect(await networkBoot(/stopped: .*/, other)).toMatch(/stopped: http:.* is not what kubedos\.sha256= says/);
      },
      PATIENCE_MS,
    );

    it(
      'starts from an ISO under Secure Boot, and with a root that the boot loader added to the initramfs',
      async () => {
        const onMedium = await room.recipe('diskless-medium', {});
        const iso = await room.artifact(await room.bake(onMedium, 'live'), 'live.iso');
        expect(await room.boot(LOGIN, 'secure-boot', '-net', 'none', ...cdrom(iso, 0))).toMatch(/running from RAM/);
        const whole = join(room.dir, 'whole.initrd');
        const pack =
          'mkdir -p r/kubedos && cp -L "$2" r/kubedos/root.squashfs && cp -L "$1" whole.initrd && truncate -s %4 whole.initrd && cd r && ' +
          'find kubedos | cpio --quiet -o -H newc >> ../whole.initrd';
        const [initrd, root] = [await artifact('initrd'), await artifact('squashfs')];
        await tool('sh', '-c', `cd "$3" && ${pack}`, 'sh', initrd, root, room.dir);
        const cmdline = (await readFile(await artifact('cmdline'), 'utf8')).trim();
        const devices = ['-kernel', await artifact('vmlinuz'), '-initrd', whole, '-append', cmdline, '-net', 'none'];
        // The kernel gives what it unpacks half of the memory.
        expect(await room.boot(LOGIN, 'bios', ...devices, '-m', '2048')).toMatch(/running from RAM/);
        await room.boot(/stopped: .* memory is too small to unpack it/, 'bios', ...devices, '-m', '896');
      },
      2 * PATIENCE_MS,
    );
  }

  it(
    'is the same bytes under another umask, time zone and host name',
    async () => {
      const again = await room.bakeElsewhere(recipe, 'netboot');
      expect(again).toMatchObject({ changed: false, artifacts: made.artifacts });
    },
    PATIENCE_MS,
  );
});

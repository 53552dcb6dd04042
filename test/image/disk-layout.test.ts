import { expect, test } from 'vitest';
import { diskLayout, mountedPlaces, partitionTable } from '../../src/image/disk-layout.ts';

const MIB = 1024 ** 2;
const LOG = { name: 'log', size: 128 * MIB, use: 'ext4', mount: '/var/log', options: 'nodev' } as const;
const SWAP = { name: 'swap', size: 64 * MIB, use: 'swap' } as const;
const VAR = { name: 'var', size: 256 * MIB, use: 'ext4', mount: '/var' } as const;

test('partitions lie one behind the other in the order of the recipe, and the root takes the rest', () => {
  const layout = diskLayout(2048 * MIB, [LOG, SWAP, VAR], 'a.yaml');
  const { bios, efi, own, root } = layout;
  let end = MIB;
  for (const each of [bios, efi, ...own, root]) {
    expect(each.start).toBe(end);
    end += each.bytes;
  }
  expect([...own.map(({ name }) => name), end]).toEqual(['log', 'swap', 'var', 2047 * MIB]);
  const lines = partitionTable(layout, (what) => `<${what}>`)
    .split('\n')
    .filter((line) => /^(label|start)/.test(line));
  expect(lines.map((line) => line.replace(/^start.*uuid=/, ''))).toEqual([
    ...['label: gpt', 'label-id: <disk>', '<bios>, name=bios', '<efi>, name=efi'],
    ...['<log>, name=log', '<swap>, name=swap', '<var>, name=var', '<root>, name=root'],
  ]);
});

test('what is mounted comes after what it is mounted in', () => {
  const layout = diskLayout(2048 * MIB, [LOG, SWAP, VAR], 'a.yaml');
  expect(mountedPlaces(layout).map(({ mount }) => mount)).toEqual(['/', '/var', '/var/log']);
});

test('a root without room is refused', () => {
  expect(() => diskLayout(512 * MIB, [SWAP], 'a.yaml')).toThrow(
    'a.yaml: disk: size: of 512 MiB too few are left for the root: 381 MiB, at least 440',
  );
  expect(diskLayout(512 * MIB, [], 'a.yaml').root.bytes).toBe(445 * MIB);
});

import { expect, test } from 'vitest';
import { withContentId } from '../../src/formats/vmdk.ts';

/** As qemu-img writes it: a header of one sector, then the descriptor. */
function start(cid: string, descriptorBytes = 1024): Buffer {
  const bytes = Buffer.alloc(4096, 0xaa);
  bytes.fill(0, 0, 512 + descriptorBytes).write('KDMV', 'latin1');
  bytes.writeBigUInt64LE(1n, 28);
  bytes.writeBigUInt64LE(BigInt(descriptorBytes / 512), 36);
  const lines = [
    '# Disk DescriptorFile',
    'version=1',
    `CID=${cid}`,
    'parentCID=ffffffff',
    'RW 4 SPARSE "disk.vmdk"',
    '',
  ];
  bytes.write(lines.join('\n'), 512, 'latin1');
  return bytes;
}

test.each(['1443bff2', 'a0a47b5', '7'])(
  'an id of %s makes way for one of eight digits, and all else is the same',
  (id) => {
    expect(withContentId(start(id), '0badcafe')).toEqual(start('0badcafe'));
  },
);

test('it may be named already', () => {
  expect(withContentId(start('0badcafe'), '0badcafe')).toEqual(start('0badcafe'));
});

test.each([
  ['no header', Buffer.alloc(4096), /no header/],
  ['no id', start('none'), /no content id/],
  ['a descriptor behind the end', start('1443bff2').subarray(0, 1024), /no room/],
])('is refused with %s', (_, bytes, message) => {
  expect(() => withContentId(bytes, '0badcafe')).toThrow(message);
});

import { expect, test } from 'vitest';
import { ovfDescriptor, ovfManifest } from '../../src/formats/ovf.ts';
import { childrenOf, textOf, type XmlElement, xmlChildren } from '../../src/formats/xml/elements.ts';

const MACHINE = {
  name: 'a-b.c',
  cpus: 4,
  memoryMib: 512,
  disk: { file: 'a-b.c-disk1.vmdk', sizeBytes: 1000, capacityBytes: 3 * 1024 ** 3 },
};

async function sections(): Promise<Map<string, XmlElement>> {
  const found = new Map<string, XmlElement>();
  const options = { origin: 'a.ovf', root: ['Envelope'] };
  for await (const each of xmlChildren([Buffer.from(ovfDescriptor(MACHINE))], options)) found.set(each.name, each);
  return found;
}

test('a descriptor has its sections in the order of the schema, and the disk finds its file', async () => {
  const all = await sections();
  expect([...all.keys()]).toEqual(['References', 'DiskSection', 'NetworkSection', 'VirtualSystem']);
  const [file] = childrenOf(all.get('References') as XmlElement, 'File');
  expect(file?.attributes).toEqual({ 'ovf:href': 'a-b.c-disk1.vmdk', 'ovf:id': 'file1', 'ovf:size': '1000' });
  const [disk] = childrenOf(all.get('DiskSection') as XmlElement, 'Disk');
  expect(disk?.attributes).toMatchObject({
    'ovf:capacity': '3221225472',
    'ovf:fileRef': 'file1',
    'ovf:diskId': 'disk1',
  });
});

test('each item of hardware has its fields by name, and hangs on one that is there', async () => {
  const system = (await sections()).get('VirtualSystem') as XmlElement;
  const [hardware] = childrenOf(system, 'VirtualHardwareSection') as [XmlElement];
  const items = childrenOf(hardware, 'Item');
  const of = (type: number) => items.find((item) => textOf(item, 'rasd:ResourceType') === String(type)) as XmlElement;
  expect(textOf(of(3), 'rasd:VirtualQuantity')).toBe('4');
  expect(textOf(of(4), 'rasd:VirtualQuantity')).toBe('512');
  expect(textOf(of(17), 'rasd:Parent')).toBe(textOf(of(6), 'rasd:InstanceID'));
  expect(textOf(of(17), 'rasd:HostResource')).toBe('ovf:/disk/disk1');
  for (const { children } of items) {
    const names = children.map(({ name }) => name);
    expect(names).toEqual([...names].sort());
  }
  expect(new Set(items.map((item) => textOf(item, 'rasd:InstanceID'))).size).toBe(items.length);
});

test('a manifest has no blanks before its sums, which ESXi trips over', () => {
  const sha256 = 'c'.repeat(64);
  expect(ovfManifest([{ name: 'a.ovf', sha256 }])).toBe(`SHA256(a.ovf)= ${sha256}\n`);
});

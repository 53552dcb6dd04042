/** An OVF descriptor (DMTF DSP0243 1.1) of a virtual machine with one disk, in the words that vSphere and VirtualBox read. */

import type { XmlElement } from './xml/elements.ts';
import { elementText } from './xml/write.ts';

export interface VirtualMachine {
  readonly name: string;
  readonly cpus: number;
  readonly memoryMib: number;
  readonly disk: {
    /** Beside the descriptor: a stream-optimized VMDK. */
    readonly file: string;
    /** Of the file. */
    readonly sizeBytes: number;
    /** Of the disk. */
    readonly capacityBytes: number;
  };
}

const CIM = 'http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2';
const NAMESPACES = {
  xmlns: 'http://schemas.dmtf.org/ovf/envelope/1',
  'xmlns:ovf': 'http://schemas.dmtf.org/ovf/envelope/1',
  'xmlns:rasd': `${CIM}/CIM_ResourceAllocationSettingData`,
  'xmlns:vssd': `${CIM}/CIM_VirtualSystemSettingData`,
  'xmlns:vmw': 'http://www.vmware.com/schema/ovf',
};
const STREAM_OPTIMIZED = 'http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized';
/** CIM_OperatingSystem.OSType: Debian 64-Bit. */
const DEBIAN_64 = 96;
/** ESXi 6.5 and later; the first with Secure Boot. */
const HARDWARE = 'vmx-13';
/** CIM_ResourceAllocationSettingData.ResourceType. */
const TYPES = { cpu: 3, memory: 4, scsi: 6, network: 10, disk: 17 };

type Attributes = Readonly<Record<string, string>>;

function element(name: string, attributes: Attributes, ...children: readonly XmlElement[]): XmlElement {
  return { name, attributes, children, text: '' };
}

function leaf(name: string, text: string | number): XmlElement {
  return { name, attributes: {}, children: [], text: String(text) };
}

export function ovfDescriptor({ name, cpus, memoryMib, disk }: VirtualMachine): string {
  const hardware = element(
    'VirtualHardwareSection',
    {},
    leaf('Info', 'Virtual hardware requirements'),
    element(
      'System',
      {},
      leaf('vssd:ElementName', 'Virtual Hardware Family'),
      leaf('vssd:InstanceID', 0),
      leaf('vssd:VirtualSystemIdentifier', name),
      leaf('vssd:VirtualSystemType', HARDWARE),
    ),
    item(1, TYPES.cpu, { ElementName: `${cpus} virtual CPUs`, AllocationUnits: 'hertz * 10^6', VirtualQuantity: cpus }),
    item(2, TYPES.memory, {
      ElementName: `${memoryMib} MiB of memory`,
      AllocationUnits: 'byte * 2^20',
      VirtualQuantity: memoryMib,
    }),
    // Every reader knows it; VirtualBox knows no pvscsi.
    item(3, TYPES.scsi, { ElementName: 'SCSI controller 0', Address: 0, ResourceSubType: 'lsilogic' }),
    item(4, TYPES.disk, { ElementName: 'disk 0', AddressOnParent: 0, HostResource: 'ovf:/disk/disk1', Parent: 3 }),
    item(5, TYPES.network, {
      ElementName: 'network adapter 0',
      AddressOnParent: 7,
      AutomaticAllocation: 'true',
      Connection: 'network',
      ResourceSubType: 'VmxNet3',
    }),
    // For VMware alone: others may pass over it.
    element('vmw:Config', { 'ovf:required': 'false', 'vmw:key': 'firmware', 'vmw:value': 'efi' }),
  );
  const envelope = element(
    'Envelope',
    NAMESPACES,
    element(
      'References',
      {},
      element('File', { 'ovf:href': disk.file, 'ovf:id': 'file1', 'ovf:size': String(disk.sizeBytes) }),
    ),
    element(
      'DiskSection',
      {},
      leaf('Info', 'Virtual disks'),
      element('Disk', {
        'ovf:capacity': String(disk.capacityBytes),
        'ovf:capacityAllocationUnits': 'byte',
        'ovf:diskId': 'disk1',
        'ovf:fileRef': 'file1',
        'ovf:format': STREAM_OPTIMIZED,
      }),
    ),
    element(
      'NetworkSection',
      {},
      leaf('Info', 'Networks'),
      element('Network', { 'ovf:name': 'network' }, leaf('Description', 'The network of the machine')),
    ),
    element(
      'VirtualSystem',
      { 'ovf:id': name },
      leaf('Info', 'A virtual machine'),
      leaf('Name', name),
      element(
        'OperatingSystemSection',
        // What vSphere 6.5 knows; later ones take it for any Debian.
        { 'ovf:id': String(DEBIAN_64), 'vmw:osType': 'debian10_64Guest' },
        leaf('Info', 'The operating system'),
        leaf('Description', 'Debian GNU/Linux (64-bit)'),
      ),
      hardware,
    ),
  );
  return `<?xml version="1.0" encoding="UTF-8"?>\n${elementText(envelope)}`;
}

/** An item of hardware: its fields in the order of their names, as the schema of CIM has them. */
function item(id: number, type: number, fields: Readonly<Record<string, string | number>>): XmlElement {
  const all = Object.entries({ ...fields, InstanceID: id, ResourceType: type });
  const sorted = all.sort(([a], [b]) => (a < b ? -1 : 1));
  return element('Item', {}, ...sorted.map(([field, value]) => leaf(`rasd:${field}`, value)));
}

/** The manifest of an OVF package: SHA-256 of each file, as vSphere 6.5 and later read it. */
export function ovfManifest(files: readonly { readonly name: string; readonly sha256: string }[]): string {
  return files.map(({ name, sha256 }) => `SHA256(${name})= ${sha256}\n`).join('');
}

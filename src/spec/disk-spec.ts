/** How the disk of an image is laid out. */
import { z } from 'zod';
import { absolutePath } from './site-spec.ts';
import { checkOnce, line } from './spec-fields.ts';

const MIB = 1024 ** 2;

const size = z
  .string()
  .regex(/^[1-9][0-9]*(?:MiB|GiB)$/, 'must be whole MiB or GiB: 2GiB')
  .transform((text) => Number.parseInt(text, 10) * (text.endsWith('GiB') ? 1024 * MIB : MIB));

/** Folders that the root file system has itself: the machine does not start without them. */
const OF_ROOT = ['bin', 'boot', 'dev', 'etc', 'lib', 'lib64', 'proc', 'run', 'sbin', 'sys', 'usr'];

const partition = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-z][a-z0-9-]{0,15}$/, 'must be up to 16 lower-case letters, digits, hyphens')
      .refine((name) => !['bios', 'efi', 'root', 'disk'].includes(name), 'is taken')
      .describe('In the partition table, and the label of what is in it.'),
    size,
    use: z.enum(['ext4', 'swap']).default('ext4'),
    mount: absolutePath
      .refine((path) => !OF_ROOT.includes(path.split('/')[1] ?? ''), 'is of the root file system')
      .optional()
      .describe('Where an ext4 belongs. What the system has there goes into it.'),
    options: line
      .regex(/^[A-Za-z0-9_.=:%/-]+(?:,[A-Za-z0-9_.=:%/-]+)*$/, 'must be as in fstab(5): nodev,nosuid')
      .optional()
      .describe('Of fstab(5); default: defaults.'),
  })
  .superRefine(({ use, mount, options }, context) => {
    const issue = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
    if (use === 'ext4' && mount === undefined) issue('mount', 'an ext4 needs a place');
    if (use === 'swap' && mount !== undefined) issue('mount', 'swap has no place');
    if (use === 'swap' && options !== undefined) issue('options', 'are for what is mounted');
  });

export const diskField = z
  .strictObject({
    size: size.describe('Of the whole disk.'),
    partitions: z
      .array(partition)
      .max(100)
      .default([])
      .describe('Before the root, which takes the rest, and grows with the disk.'),
  })
  .superRefine(({ partitions }, context) => {
    for (const field of ['name', 'mount'] as const) checkOnce(partitions, field, ['partitions'], context);
  });

export type Partition = z.output<typeof partition>;

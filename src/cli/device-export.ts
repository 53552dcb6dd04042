/** `artifact export` to a block device: shows what would be lost, and writes when it is told to. */
import type { DevicePlan } from '../image/export-device.ts';
import type { ManifestEntry, ObjectStore } from '../store/types.ts';
import type { Context, Input, Outcome } from './command.ts';
import { fields } from './render/table.ts';
import { formatBytes } from './render/units.ts';

export async function exportToDevice(
  context: Context,
  input: Input,
  { objects, entry, to }: { readonly objects: ObjectStore; readonly entry: ManifestEntry; readonly to: string },
): Promise<Outcome> {
  const [tools, { planDevice, exportDevice }] = await Promise.all([
    import('../exec/block-device.ts'),
    import('../image/export-device.ts'),
  ]);
  const deps = { objects, ...tools };
  const plan = await planDevice(deps, entry, { file: to, partition: input.flag('partition') });
  const shown = planText(plan, entry);
  if (!input.flag('yes'))
    return { data: { dryRun: true, ...plan }, text: `${shown}\nnothing is written yet: add --yes to do it` };
  if (!context.json) context.say(shown);
  const report = await exportDevice(deps, entry, plan, context);
  return {
    data: { dryRun: false, ...report },
    text: `${report.sha256}  ${report.device}  ${formatBytes(report.sizeBytes)}: read back, and the same`,
  };
}

function planText({ device, contents }: DevicePlan, entry: ManifestEntry): string {
  const lost = contents.map((each) => `${each.type}${each.label ? ` "${each.label}"` : ''} on ${each.device}`);
  return fields([
    ['device', device.path],
    ['model', [device.model ?? 'unknown', device.tran ?? device.type].join(', ')],
    ['serial', device.serial ?? 'unknown'],
    ['size', formatBytes(device.size)],
    ['lost', lost.length > 0 ? lost.join('; ') : 'all that is on it; no file system or partition table is known'],
    ['written', `${entry.path}, ${formatBytes(entry.sizeBytes)}`],
  ]);
}

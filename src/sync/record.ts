/** The catalog follows the head. */
import { readMemory } from './memory.ts';
import { Meter } from './meter.ts';
import type { Session } from './session.ts';

/**
 * Tells the catalog what the head lists, unless it was told: the head remembers that, so that a sync that finds nothing
 * new need not open the catalog. Killed in between, the next sync does it.
 */
export async function recordHead({ deps, spec, options, run }: Session): Promise<void> {
  const { store, recordPackages } = deps;
  const head = await store.heads.read(spec.name);
  if (!recordPackages || options.dryRun || !head || readMemory(head).recorded === head.manifest.root) return;
  const { root } = head.manifest;
  await store.withWriter(`sync ${spec.name}`, async () => {
    new Meter(run.onEvent, 'catalog');
    await recordPackages(spec.name, root);
    await store.heads.write({ ...head, memory: { ...head.memory, recorded: root } }, root);
  });
}

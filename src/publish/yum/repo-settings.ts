/** What a local repository of rpm packages remembers, in the memory of its head. */
import { z } from 'zod';
import { KubedosError } from '../../errors.ts';
import type { MirrorHead } from '../../store/types.ts';

const memorySchema = z.looseObject({
  rpm: z.strictObject({
    compression: z.enum(['gz', 'zst']),
    /** The store signs each package as it comes in. */
    signPackages: z.boolean().optional(),
  }),
  /** ISO 8601. */
  published: z.string(),
  generations: z.array(z.array(z.object({ path: z.string(), sha256: z.string(), sizeBytes: z.number() }))),
});

export type RpmRepoMemory = z.output<typeof memorySchema>;
export type RpmRepoSettings = RpmRepoMemory['rpm'];

/** `store.corrupt` for a head whose memory is none of a local repository. */
export function rpmRepoMemory(head: MirrorHead): RpmRepoMemory {
  const parsed = memorySchema.safeParse(head.memory);
  if (parsed.success) return parsed.data;
  throw new KubedosError('store.corrupt', `read head of ${head.name}: its memory is not that of a local repository`, {
    cause: parsed.error,
  });
}

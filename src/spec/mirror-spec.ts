/**
 * The schema of mirror specs (mirror-specs/NAME.yaml). The JSON Schema for editors is made from it, and the
 * descriptions in the schemas of the kinds are its documentation.
 */
import { z } from 'zod';
import { aptSpecSchema } from './apt-spec.ts';
import { readSpecYaml } from './yaml-spec.ts';
import { yumSpecSchema } from './yum-spec.ts';

const mirrorSpecSchema = z.discriminatedUnion('type', [aptSpecSchema, yumSpecSchema]);

/** A checked spec with its defaults filled in. */
export type MirrorSpec = z.output<typeof mirrorSpecSchema>;

/** Checks a spec; `spec.invalid` lists every fault as `file:line: path: what is wrong`. */
export function parseMirrorSpec(text: string, file: string): MirrorSpec {
  return readSpecYaml(text, file, mirrorSpecSchema);
}

/** JSON Schema (2020-12) of the YAML as people write it: docs/schema/mirror-spec.schema.json. */
export function mirrorSpecJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(mirrorSpecSchema, { io: 'input', target: 'draft-2020-12' });
  return { title: 'kubedos mirror spec', ...schema };
}

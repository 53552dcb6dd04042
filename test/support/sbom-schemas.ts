/** The published schemas of SBOMs (test/fixtures/schemas), and what a document breaks of them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import formats from 'ajv-formats';
import { INSTALLATION } from '../../src/wiring.ts';

const schema = (name: string): object =>
  JSON.parse(readFileSync(join(INSTALLATION, 'test/fixtures/schemas', `${name}.schema.json`), 'utf8'));

const ajv = new Ajv({ strict: false, allErrors: true });
formats.default(ajv);
// Of people who write their address in other alphabets, which no document here does.
for (const format of ['idn-email', 'iri-reference']) ajv.addFormat(format, true);
ajv.addSchema([schema('spdx'), schema('jsf-0.82')]);

const validators = { spdx: ajv.compile(schema('spdx-2.3')), cyclonedx: ajv.compile(schema('bom-1.6')) };

/** What is wrong, a line each. */
export function faultsOf(kind: keyof typeof validators, document: unknown): string[] {
  const validate = validators[kind];
  validate(document);
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

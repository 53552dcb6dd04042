import type { CommandSpec } from '../command.ts';
import { table } from '../render/table.ts';
import { findSpec, readSpec, shippedSpecs } from '../specs.ts';

export const SPEC_COMMANDS: readonly CommandSpec[] = [
  {
    path: 'spec list',
    summary: 'the ready specs that come with kubedos',
    examples: ['kubedos spec list'],
    run: async (context) => {
      const found = await Promise.all((await shippedSpecs()).map((name) => findSpec(context.house.dataDir, name)));
      const specs = found.map(({ spec }) => spec);
      return {
        data: specs,
        text: table(
          ['NAME', 'KIND', 'FORM', 'DESCRIPTION'],
          specs.map((spec) => [spec.name, spec.type, spec.form, spec.description ?? '']),
        ),
      };
    },
  },
  {
    path: 'spec check',
    summary: 'check mirror specs; each fault is named with file and line',
    arguments: [{ name: 'file', summary: 'YAML files', variadic: true }],
    examples: ['kubedos spec check my-mirror.yaml'],
    run: async (_context, input) => {
      const found = await Promise.all(input.rest(0).map(readSpec));
      return {
        data: found.map(({ spec }) => spec),
        text: found.map(({ file, spec }) => `${file}: ${spec.name} is good`).join('\n'),
      };
    },
  },
  {
    path: 'spec schema',
    summary: 'the JSON Schema of mirror specs, for editors',
    examples: ['kubedos spec schema > mirror-spec.schema.json'],
    run: async () => {
      const { mirrorSpecJsonSchema } = await import('../../spec/mirror-spec.ts');
      const schema = mirrorSpecJsonSchema();
      return { data: schema, text: JSON.stringify(schema, null, 2) };
    },
  },
];

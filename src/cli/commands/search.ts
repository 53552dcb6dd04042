import type { CommandSpec } from '../command.ts';
import { table } from '../render/table.ts';

export const searchCommand: CommandSpec = {
  path: 'search',
  summary: 'find packages in the newest state of the mirrors',
  arguments: [{ name: 'text', summary: 'a name, its beginning or a part; words of the description' }],
  options: [
    { flags: '--mirror <name>', summary: 'in this mirror only' },
    { flags: '--limit <count>', summary: 'at most so many', default: '50' },
  ],
  examples: ['kubedos search openssh', 'kubedos search linux-image --mirror debian-12'],
  run: async (context, input) => {
    const found = (await context.house.catalog()).search(input.argument(0), {
      mirror: input.string('mirror'),
      limit: input.integer('limit', 1) ?? 50,
    });
    return {
      data: found,
      text: table(
        ['PACKAGE', 'VERSION', 'ARCH', 'MIRRORS', 'DESCRIPTION'],
        found.map((one) => [one.name, one.version, one.architecture, one.mirrors.join(' '), one.description]),
      ),
    };
  },
};

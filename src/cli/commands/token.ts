import { KubedosError } from '../../errors.ts';
import type { CommandSpec } from '../command.ts';
import { table } from '../render/table.ts';

const DAY_MS = 86_400_000;

export const TOKEN_COMMANDS: readonly CommandSpec[] = [
  {
    path: 'token create',
    summary: 'a token that may upload packages over HTTP; shown once',
    arguments: [{ name: 'name', summary: 'who will use it' }],
    description:
      'Sent as `Authorization: Bearer TOKEN`; see "Uploads over HTTP" in docs/operators.md. The store keeps a hash of it.',
    options: [
      { flags: '--days <count>', summary: 'expires after so many days; never without' },
      { flags: '--repo <name...>', summary: 'for these repositories only' },
    ],
    examples: ['kubedos token create build-server --days 90 --repo ours'],
    run: async (context, input) => {
      const now = context.house.now();
      const days = input.integer('days', 1);
      const expires = days === undefined ? undefined : new Date(now.getTime() + days * DAY_MS);
      const repos = input.strings('repo');
      const { token, secret } = (await context.house.catalog()).createToken({
        name: input.argument(0),
        scope: 'upload',
        repos: repos.length === 0 ? undefined : repos,
        now,
        expires,
      });
      return { data: { ...token, secret }, text: secret };
    },
  },
  {
    path: 'token list',
    summary: 'tokens, without their secrets',
    examples: ['kubedos token list'],
    run: async (context) => {
      const tokens = (await context.house.catalog()).listTokens();
      const date = (value: Date | null): string => (value === null ? '' : value.toISOString().slice(0, 10));
      return {
        data: tokens,
        text: table(
          ['ID', 'NAME', 'REPOSITORIES', 'CREATED', 'EXPIRES', 'REVOKED'],
          tokens.map((token) => [
            token.id,
            token.name,
            token.repos?.join(' ') ?? 'all',
            date(token.created),
            date(token.expires),
            date(token.revoked),
          ]),
        ),
      };
    },
  },
  {
    path: 'token revoke',
    summary: 'make a token useless at once',
    arguments: [{ name: 'id', summary: 'as `token list` shows it' }],
    examples: ['kubedos token revoke 3f9a'],
    run: async (context, input) => {
      const id = input.argument(0);
      if (!(await context.house.catalog()).revokeToken(id, context.house.now())) {
        throw new KubedosError('store.not-found', `there is no live token ${id}`, {
          hint: '`kubedos token list` shows them',
        });
      }
      return { data: { revoked: id }, text: `token ${id} revoked` };
    },
  },
];

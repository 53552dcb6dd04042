/** Which snapshots to keep. Choosing is pure; `applyRetention` deletes. */
import { KubedosError } from '../errors.ts';
import { groupBy } from './group-by.ts';
import type { Store } from './types.ts';

const PERIODS = ['last', 'daily', 'weekly', 'monthly', 'yearly'] as const;
export type RetentionRule = (typeof PERIODS)[number];

/** How many to keep by each rule. */
export type RetentionPolicy = Readonly<Partial<Record<RetentionRule, number>>>;

/** `last 10, monthly 12`; `usage.argument` otherwise. Each rule at most once, numbers from 1. */
export function parseRetention(text: string): RetentionPolicy {
  const policy: Partial<Record<RetentionRule, number>> = {};
  for (const part of text.split(',')) {
    const [, name = '', count = ''] = /^\s*([a-z]+)\s+([1-9][0-9]{0,5})\s*$/.exec(part) ?? [];
    const rule = PERIODS.find((period) => period === name);
    if (!rule || policy[rule] !== undefined) {
      throw new KubedosError(
        'usage.argument',
        `read retention ${JSON.stringify(text.slice(0, 200))}: ${JSON.stringify(part.trim().slice(0, 50))} is not understood, expected such as "last 10, monthly 12"`,
        { hint: `rules are ${PERIODS.join(', ')}, each at most once and with a number from 1` },
      );
    }
    policy[rule] = Number(count);
  }
  return policy;
}

export interface RetainedSnapshot {
  readonly id: string;
  readonly store: string;
  readonly sequence: number;
  readonly time: string;
}

export interface RetentionPlan {
  /** In the order given; `reasons` are rules ("monthly 2026-03") and what holds it ("channel stable"). */
  readonly keep: readonly { readonly id: string; readonly reasons: readonly string[] }[];
  readonly remove: readonly string[];
}

/**
 * Each rule keeps the newest snapshot of each of the newest N periods (UTC, ISO weeks) in which there is one; `last`
 * the newest N. Each store's snapshots are counted apart, newest by sequence. Rules that keep nothing at all are refused. What is held stays whatever the rules
 * say, and counts as the others do.
 */
export function planRetention(
  policy: RetentionPolicy,
  snapshots: readonly RetainedSnapshot[],
  held: ReadonlyMap<string, readonly string[]>,
): RetentionPlan {
  if (Object.values(policy).every((count) => !(count > 0))) {
    throw new KubedosError('usage.argument', 'plan retention: the rules keep nothing at all');
  }
  const reasons = new Map<string, string[]>(snapshots.map(({ id }) => [id, [...(held.get(id) ?? [])]]));
  for (const own of groupBy(snapshots, ({ store }) => store).values()) {
    const newestFirst = [...own].sort((a, b) => b.sequence - a.sequence);
    for (const rule of PERIODS) {
      const periods = new Set<string>();
      for (const snapshot of newestFirst) {
        const period = periodOf(rule, snapshot);
        if (periods.has(period) || periods.size >= (policy[rule] ?? 0)) continue;
        periods.add(period);
        reasons.get(snapshot.id)?.push(rule === 'last' ? rule : `${rule} ${period}`);
      }
    }
  }
  const keep = [...reasons].filter(([, why]) => why.length > 0).map(([id, why]) => ({ id, reasons: why }));
  return { keep, remove: [...reasons].filter(([, why]) => why.length === 0).map(([id]) => id) };
}

function periodOf(rule: RetentionRule, { id, time }: RetainedSnapshot): string {
  switch (rule) {
    case 'last':
      return id;
    case 'daily':
      return time.slice(0, 10);
    case 'weekly':
      return isoWeek(new Date(time));
    case 'monthly':
      return time.slice(0, 7);
    case 'yearly':
      return time.slice(0, 4);
  }
}

/** `2026-W53`: weeks begin on Monday and belong to the year of their Thursday (ISO 8601). */
function isoWeek(date: Date): string {
  const dayMs = 24 * 60 * 60 * 1000;
  const daysSinceMonday = (date.getUTCDay() + 6) % 7;
  const thursday = new Date(date.getTime() + (3 - daysSinceMonday) * dayMs);
  const year = thursday.getUTCFullYear();
  const week = Math.floor((thursday.getTime() - Date.UTC(year, 0, 1)) / (7 * dayMs)) + 1;
  return `${year}-W${String(week).padStart(2, '0')}`;
}

/** What forbids to remove a snapshot: channels, tags, protection, acknowledgements of receivers. */
export async function heldSnapshots(store: Store): Promise<Map<string, string[]>> {
  const held = new Map<string, string[]>();
  const hold = (id: string, reason: string) => held.set(id, [...(held.get(id) ?? []), reason]);
  for (const { name, snapshot } of await store.channels.list()) hold(snapshot, `channel ${name}`);
  const labels = await store.labels.read();
  for (const [tag, id] of Object.entries(labels.tags)) hold(id, `tag ${tag}`);
  for (const id of labels.protected) hold(id, 'protected');
  for (const [receiver, id] of Object.entries(labels.acknowledged)) hold(id, `acknowledged by ${receiver}`);
  return held;
}

/** The plan for this store as it is; with `dryRun` nothing else happens. Objects go at the next `runGc`. */
export function applyRetention(
  store: Store,
  policy: RetentionPolicy,
  options: { readonly dryRun: boolean },
): Promise<RetentionPlan> {
  const plan = async () => {
    const snapshots: RetainedSnapshot[] = [];
    for (const id of await store.snapshots.list()) {
      const snapshot = await store.snapshots.read(id);
      if (snapshot) snapshots.push({ id, ...snapshot.document });
    }
    return planRetention(policy, snapshots, await heldSnapshots(store));
  };
  if (options.dryRun) return plan();
  return store.withWriter('snapshot retention', async () => {
    const decided = await plan();
    for (const id of decided.remove) await store.snapshots.delete(id);
    return decided;
  });
}

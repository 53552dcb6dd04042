import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applyRetention, parseRetention, planRetention, type RetainedSnapshot } from '../../src/store/retention.ts';
import { NOON, putMirror, takeSnapshot, temporaryStore } from '../support/temporary-store.ts';

const snapshots = (...times: string[]): RetainedSnapshot[] =>
  times.map((time, index) => ({ id: `${index + 1}-x`, store: 's', sequence: index + 1, time }));

const kept = (policy: string, times: RetainedSnapshot[], held: [string, string[]][] = []) =>
  planRetention(parseRetention(policy), times, new Map(held)).keep;

describe('the words', () => {
  test('are rules with numbers', () => {
    expect(parseRetention('last 10, monthly 12')).toEqual({ last: 10, monthly: 12 });
    expect(parseRetention(' yearly 1,weekly 52,daily 7 ')).toEqual({ yearly: 1, weekly: 52, daily: 7 });
  });

  test.each([
    '',
    'last',
    'last 0',
    'last -1',
    'last 10 monthly 12',
    'hourly 3',
    'last 1, last 2',
    'last 1,',
    'all',
    'constructor 1',
  ])('%j is refused', (text) => {
    expect(() => parseRetention(text)).toThrowError(expect.objectContaining({ code: 'usage.argument' }));
  });
});

test('each rule keeps the newest of each of its newest periods', () => {
  const times = snapshots(
    '2024-12-30T00:00:00Z',
    '2025-01-05T23:59:59Z',
    '2025-01-31T10:00:00Z',
    '2025-01-31T11:00:00Z',
    '2025-02-01T00:00:00Z',
  );
  expect(kept('last 2', times)).toEqual([
    { id: '4-x', reasons: ['last'] },
    { id: '5-x', reasons: ['last'] },
  ]);
  expect(kept('daily 2', times)).toEqual([
    { id: '4-x', reasons: ['daily 2025-01-31'] },
    { id: '5-x', reasons: ['daily 2025-02-01'] },
  ]);
  // 30 December 2024 is in the first ISO week of 2025.
  expect(kept('weekly 9', times)).toEqual([
    { id: '2-x', reasons: ['weekly 2025-W01'] },
    { id: '5-x', reasons: ['weekly 2025-W05'] },
  ]);
  expect(kept('monthly 3', times).map(({ id }) => id)).toEqual(['1-x', '4-x', '5-x']);
  expect(kept('yearly 1, last 1', times)).toEqual([{ id: '5-x', reasons: ['last', 'yearly 2025'] }]);
});

test('ISO weeks at the turns of years', () => {
  const weeks = ['2020-12-31', '2021-01-03', '2021-01-04', '2024-12-29', '2026-12-31', '2027-01-03'].flatMap((day) =>
    kept('weekly 1', snapshots(`${day}T12:00:00Z`)).flatMap(({ reasons }) => reasons),
  );
  expect(weeks).toEqual(
    ['2020-W53', '2020-W53', '2021-W01', '2024-W52', '2026-W53', '2026-W53'].map((week) => `weekly ${week}`),
  );
});

test('stores are counted apart', () => {
  const mixed = snapshots('2025-01-01T00:00:00Z', '2025-01-02T00:00:00Z', '2025-01-03T00:00:00Z').map((one, index) =>
    index === 0 ? { ...one, store: 'other' } : one,
  );
  expect(planRetention({ last: 1 }, mixed, new Map()).remove).toEqual(['2-x']);
});

test('what is held stays, the newest stays, and all is either kept or removed', () => {
  const times = fc
    .array(fc.integer({ min: 0, max: 2000 }), { maxLength: 40 })
    .map((days) =>
      snapshots(
        ...days.sort((a, b) => a - b).map((day) => `${new Date(day * 86_400_000).toISOString().slice(0, 19)}Z`),
      ),
    );
  const policy = fc
    .record(
      { last: fc.nat(5), daily: fc.nat(5), weekly: fc.nat(5), monthly: fc.nat(5), yearly: fc.nat(5) },
      { requiredKeys: [] },
    )
    .filter((counts) => Object.values(counts).some((count) => count > 0));
  fc.assert(
    fc.property(times, policy, fc.nat(), (all, counts, pick) => {
      const held = all[pick % Math.max(1, all.length)]?.id ?? 'none';
      const { keep, remove } = planRetention(counts, all, new Map([[held, ['protected']]]));
      expect([...keep.map(({ id }) => id), ...remove].sort()).toEqual(all.map(({ id }) => id).sort());
      expect(remove).not.toContain(held);
      expect(remove).not.toContain(all.at(-1)?.id);
      const again = all.filter(({ id }) => !remove.includes(id));
      expect(planRetention(counts, again, new Map([[held, ['protected']]])).remove).toEqual([]);
    }),
  );
});

test('rules that keep nothing are refused', () => {
  expect(() => planRetention({}, snapshots('2025-01-01T00:00:00Z'), new Map())).toThrow();
  expect(() => planRetention({ last: 0 }, [], new Map())).toThrow();
});

test('applied, it deletes what nothing holds', async () => {
  const store = await temporaryStore();
  const ids: string[] = [];
  for (let n = 0; n < 7; n++) {
    await putMirror(store, 'debian', { a: String(n) });
    ids.push((await takeSnapshot(store, new Date(NOON.getTime() + n * 86_400_000))).id);
  }
  const [channelled = '', tagged = '', byHand = '', byReceipt = '', fifth = '', sixth = '', seventh = ''] = ids;
  await store.channels.move('stable', channelled, { now: NOON });
  await store.labels.update(() => ({
    tags: { golden: tagged },
    protected: [byHand],
    acknowledged: { dark: byReceipt },
  }));
  const dry = await applyRetention(store, { last: 1 }, { dryRun: true });
  expect(dry.remove).toEqual([fifth, sixth]);
  expect(dry.keep).toEqual([
    { id: channelled, reasons: ['channel stable'] },
    { id: tagged, reasons: ['tag golden'] },
    { id: byHand, reasons: ['protected'] },
    { id: byReceipt, reasons: ['acknowledged by dark'] },
    { id: seventh, reasons: ['last'] },
  ]);
  expect(await store.snapshots.list()).toEqual(ids);
  expect(await applyRetention(store, { last: 1 }, { dryRun: false })).toEqual(dry);
  expect(await store.snapshots.list()).toEqual(dry.keep.map(({ id }) => id));
});

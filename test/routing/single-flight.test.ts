import { describe, expect, it } from 'vitest';
import { KeyGuards } from '../../src/routing/key-guards.ts';
import { Flight, SingleFlight } from '../../src/routing/single-flight.ts';

describe('SingleFlight', () => {
  it('runs once per key at a time, and again afterwards, also after a failure', async () => {
    const flights = new SingleFlight<number>(new KeyGuards());
    let runs = 0;
    const start = async () => ++runs;
    const results = [flights.run('k', start), flights.run('k', start), flights.run('other', start)];
    expect(await Promise.all(results)).toEqual([1, 1, 2]);
    expect(await flights.run('k', start)).toBe(3);
    await expect(flights.run('k', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(flights.has('k')).toBe(false);
    expect(await flights.run('k', start)).toBe(4);
  });

  it('starts anew for who comes after a write of the key, and the old run ends for itself alone', async () => {
    const guards = new KeyGuards();
    const flights = new SingleFlight<string>(guards);
    const ends: ((value: string) => void)[] = [];
    const start = () => new Promise<string>((resolve) => ends.push(resolve));
    const before = flights.run('k', start);
    guards.break('k');
    expect(flights.has('k')).toBe(false);
    const after = flights.run('k', start);
    const joined = flights.run('k', start);
    expect(ends.length).toBe(2);
    ends[0]!('old');
    expect(await before).toBe('old');
    expect(flights.has('k')).toBe(true);
    ends[1]!('new');
    expect(await Promise.all([after, joined])).toEqual(['new', 'new']);
  });
});

describe('Flight', () => {
  const open = () => Object.assign(new Flight(new KeyGuards().take('k')), { result: new Promise<never>(() => {}) });

  it('is wanted as long as a caller waits, also by way of others, and is told of each who goes', () => {
    const [outer, middle, inner] = [open(), open(), open()];
    const stopMiddle = outer.waitFor(middle);
    outer.waitFor(middle);
    middle.waitFor(inner);
    const leave = outer.addCaller();
    let told = 0;
    inner.onLeft = () => told++;
    expect([inner.isWanted, inner.isNeeded]).toEqual([true, true]);
    stopMiddle(); // It waits once more.
    expect([inner.isWanted, told]).toEqual([true, 0]);
    leave();
    expect([inner.isWanted, inner.isNeeded, told]).toEqual([false, false, 1]);
    outer.hasBegun = true;
    expect([inner.isWanted, inner.isNeeded]).toEqual([false, true]);
    outer.addCaller();
    expect(inner.isWanted).toBe(true);
    outer.end();
    expect([inner.isWanted, inner.isNeeded, told]).toEqual([false, false, 2]);
  });

  it('may be waited for by one that it waited for before and does no longer', () => {
    const [one, other] = [open(), open()];
    const stop = one.waitFor(other);
    expect(() => other.waitFor(one)).toThrow(expect.objectContaining({ code: 'ERR_LOAD_CYCLE' }));
    stop();
    other.waitFor(one);
    expect(() => one.waitFor(other)).toThrow(expect.objectContaining({ code: 'ERR_LOAD_CYCLE' }));
  });

  it('asks each of many runs once, however many ways lead to it', () => {
    const steps = Array.from({ length: 40 }, () => [open(), open()] as const);
    for (const [index, [left, right]] of steps.entries()) {
      for (const next of steps[index + 1] ?? []) {
        left.waitFor(next);
        right.waitFor(next);
      }
    }
    let told = 0;
    steps[39]![0].onLeft = () => told++;
    steps[0]![0].addCaller()();
    expect([steps[39]![0].isWanted, told]).toEqual([false, 1]);
  });
});

describe('KeyGuards', () => {
  it('breaks guards of the key that is written, and of no other', () => {
    const guards = new KeyGuards();
    const [one, other] = [guards.take('k'), guards.take('other')];
    guards.break('k');
    expect([one.broken, other.broken]).toEqual([true, false]);
    guards.release(one);
    guards.release(one);
    guards.breakAll();
    expect(other.broken).toBe(true);
  });

  it('lets no copy be made of a key while a write of it is under way', async () => {
    const guards = new KeyGuards();
    guards.beginWrite('k');
    guards.beginWrite('k');
    guards.endWrite('k');
    expect(guards.takeForCopy('k').broken).toBe(true);
    expect(guards.take('k').broken).toBe(false);
    guards.endWrite('k');
    expect(guards.takeForCopy('k').broken).toBe(false);
    await guards.breakAllDuring(async () => {
      expect(guards.takeForCopy('any').broken).toBe(true);
    });
    expect(guards.takeForCopy('any').broken).toBe(false);
  });
});

import { describe, expect, it } from 'vitest';
import { type Overdue, verdictOf } from '../../src/runtime/overdue.ts';

describe('verdictOf', () => {
  const call: Overdue = { hadItsChance: true, hasOwnTime: false, hasTurnLeft: false, hasRead: false };

  it('ends a call at once that has had its chance, where one more turn of the loop would be too late', () => {
    expect(verdictOf(call)).toBe('ends');
    expect(verdictOf({ ...call, hasOwnTime: true })).toBe('ends');
  });

  it('reads the sockets first where there is a turn left, and where the call has not had its chance', () => {
    for (const other of [{ hasTurnLeft: true }, { hadItsChance: false }, { hadItsChance: false, hasOwnTime: true }]) {
      expect(verdictOf({ ...call, ...other })).toBe('is read for first');
    }
  });

  it('keeps a call open that has not had its chance, as long as stalls took its time', () => {
    const read = { ...call, hadItsChance: false, hasRead: true };
    expect(verdictOf({ ...read, hasOwnTime: true })).toBe('is heard a little longer');
    expect(verdictOf(read)).toBe('ends');
  });

  it('ends a call once the sockets have been read for it and it has had its chance', () => {
    for (const hasTurnLeft of [true, false]) {
      expect(verdictOf({ ...call, hasTurnLeft, hasRead: true })).toBe('ends');
      expect(verdictOf({ ...call, hasTurnLeft, hasRead: true, hasOwnTime: true })).toBe('ends');
    }
  });
});

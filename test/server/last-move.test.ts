import { EventEmitter } from 'node:events';
import { expect, it } from 'vitest';
import type { Client } from '../../src/server/link/client.ts';
import { LastMove } from '../../src/server/link/signs-of-life.ts';
import { LateClock } from '../support/late-clock.ts';

it('the last move of a connection is its creation, the last bytes that came in on it, or what its owner noted', () => {
  const clock = new LateClock();
  const whole = new LastMove(clock);
  const lastMove = new LastMove(clock, whole);
  const client = Object.assign(new EventEmitter(), { stream: new EventEmitter() });
  lastMove.follow(client as unknown as Client);
  const moves = [() => client.emit('connect'), () => client.stream.emit('data'), () => lastMove.note()];
  const seen = moves.map((move) => {
    clock.pass(5);
    move();
    clock.pass(2);
    return [lastMove.atMs, whole.atMs];
  });
  expect(seen).toEqual([
    [5, 5],
    [12, 12],
    [19, 19],
  ]);
  whole.note();
  expect([lastMove.atMs, whole.atMs]).toEqual([19, 21]);
});

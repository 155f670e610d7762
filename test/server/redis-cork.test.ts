import { Writable } from 'node:stream';
import { expect, it } from 'vitest';
import { Cork } from '../../src/server/sending/cork.ts';

/** Notes how many chunks came in each write to the system. */
function recorder(): { readonly stream: Writable; readonly writes: number[] } {
  const writes: number[] = [];
  const stream = new Writable({
    write(_chunk, _encoding, done) {
      writes.push(1);
      done();
    },
    writev(chunks, done) {
      writes.push(chunks.length);
      done();
    },
  });
  return { stream, writes };
}

const nextTick = () => new Promise<void>((resolve) => process.nextTick(resolve));

function write(cork: Cork, stream: Writable): void {
  cork.hold(stream);
  stream.write('x');
}

it('a cork sends what was written in one tick as one', async () => {
  const { stream, writes } = recorder();
  const cork = new Cork(() => undefined);
  for (let index = 0; index < 3; index++) write(cork, stream);
  expect(writes).toEqual([]);
  await nextTick();
  expect(writes).toEqual([3]);
  write(cork, stream);
  await nextTick();
  expect(writes).toEqual([3, 1]);
});

it('a cork lets go of a stream that is replaced within the tick', async () => {
  const old = recorder();
  const fresh = recorder();
  const cork = new Cork(() => undefined);
  write(cork, old.stream);
  write(cork, fresh.stream);
  expect(old.writes).toEqual([1]);
  write(cork, fresh.stream);
  await nextTick();
  expect(fresh.writes).toEqual([2]);
  expect(old.stream.writableCorked + fresh.stream.writableCorked).toBe(0);
});

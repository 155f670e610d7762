/** Runs the benchmarks of speed one after the other; `--smoke` makes each a short check that it still works. */

await import('./lookup.ts');
await import('./memory.ts');
await import('./redis.ts');

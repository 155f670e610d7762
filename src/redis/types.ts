/** ioredis' own types of its commands, mapped: nothing of them is written down a second time. */

import type { ChainableCommander, RedisCommander } from 'ioredis';
import type { ShardedPipeline } from './pipeline.ts';
import type { ShardedTransaction } from './transaction.ts';

/** Methods whose shape here is not that of one server's client. */
type Own = 'scan' | 'scanBuffer' | 'hscan' | 'sscan' | 'zscan' | 'quit';

/** Every command of ioredis with its argument forms, `*Buffer` variants and callbacks. */
export type RedisCommands = Omit<RedisCommander<{ type: 'default' }>, Own>;

/** The result of `pipeline()`: every command, chained, and `exec()`. */
export type Pipeline = ShardedPipeline & ChainableCommander;

/** The result of `multi()`. */
export type Transaction = ShardedTransaction & ChainableCommander;

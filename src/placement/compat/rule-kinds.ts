/** Every kind of ring of points, by which a snapshot is read back. */

import { ketamaKind } from './ketama.ts';
import { libmemcachedKind } from './libmemcached.ts';
import { npmHashringKind } from './npm-hashring.ts';
import type { RuleKind } from './point-rule.ts';
import { twemproxyKind } from './twemproxy.ts';

export const ruleKinds: readonly RuleKind[] = [ketamaKind, libmemcachedKind, npmHashringKind, twemproxyKind];

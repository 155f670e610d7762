import { describe, it } from 'vitest';
import { describePlacement } from '../../src/testing/placement-suite.ts';
import { placementKinds } from '../support/placement-kinds.ts';

for (const kind of placementKinds) describePlacement({ describe, it }, kind);

/** Random tests draw other inputs at each run, so that every run may find something; with a seed given, the same ones. */

import fc from 'fast-check';

const { FAST_CHECK_SEED: seed } = process.env;

if (seed !== undefined) fc.configureGlobal({ seed: Number(seed) });

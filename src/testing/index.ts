/** Entry "shardring/testing": what adapters and applications test with. */

export type { Around, Intercepted } from '../backend/intercept.ts';
export {
  type BackendAdapter,
  type BackendConfiguration,
  type BackendFeature,
  type BackendSuiteRunner,
  type ConfigurationName,
  describeBackend,
} from './backend-suite.ts';
export { type CallCounts, FaultyBackend, type FaultyBackendOptions } from './faulty-backend.ts';
export { intercept } from './intercept.ts';
export {
  describePlacement,
  type PlacementAdapter,
  type PlacementFeature,
  type PlacementSuiteRunner,
} from './placement-suite.ts';
export { SimulatedClock, type SimulatedClockOptions } from './simulated-clock.ts';

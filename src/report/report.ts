/** @file What `lab.report()` returns. */
import type { DeviceInfo, ModelInfo } from './facts';
import type { ComparisonRow } from './results';
import type { Scores } from './scores';
import type { CalibrationInfo } from './texts';

/** All of a session's numbers, with what they were computed from. */
export interface Report {
  version: 1;
  created: string;
  model: ModelInfo;
  device: DeviceInfo | null;
  calibration: CalibrationInfo | null;
  scores: Scores[];
  comparison: ComparisonRow[];
}

/** @file The label of numbers that no GPU had a part in. */
import type { DeviceLabel } from '../../importance/types';

export const cpuLabel: DeviceLabel = { adapter: 'CPU', software: true, runtime: 'JavaScript' };

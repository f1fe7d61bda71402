/** @file The label of numbers that no GPU had a part in. */
import type { DeviceLabel } from '../../benchmark/deviceLabel';

export const cpuLabel: DeviceLabel = { adapter: 'CPU', software: true, runtime: 'JavaScript' };

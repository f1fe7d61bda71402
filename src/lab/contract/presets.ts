/** @file Comparisons that need no choice: each is a request for `lab.compare` by itself. */
import type { DeviceInfo } from '../../report/facts';
import type { CompareRequest } from './types';

export interface Preset {
  readonly id: string;
  /** The name that people read. */
  readonly title: string;
  /** What it shows. */
  readonly meaning: string;
  /** The request for a device; null for a browser without WebGPU. */
  request(device: Pick<DeviceInfo, 'software'> | null): CompareRequest;
}

/** Counts that take about a minute where ONNX Runtime computes on the CPU. */
const onCpu = { promptTokens: 12, newTokens: 32, warmups: 1, runs: 6 };
/** Counts for a GPU. */
const onGpu = { promptTokens: 12, newTokens: 128, warmups: 2, runs: 10 };

export const presets: readonly [Preset, ...Preset[]] = [
  {
    id: 'depth-width-20',
    title: 'Depth against width at 20 %',
    meaning:
      'Removes a fifth of the parameters by whole blocks (Perplexity, Taylor+) and by heads and neurons (FLAP, Wanda-sp, ' +
      'LLM-Pruner), and measures perplexity and latency of all of them beside the original model. Source: Kim et al. 2024, Shortened LLaMA.',
    request: (device) => ({
      budget: { ratio: 0.2 },
      methods: ['ppl', 'taylor+', 'flap', 'wanda-sp', 'llm-pruner'],
      batchSizes: [1, 8],
      ...(device === null || device.software ? onCpu : onGpu),
    }),
  },
];

/** @file What measurements of a variant, and texts that it writes, take and give. */

import type { DeviceLabel } from '../../benchmark/deviceLabel';
import type { PrecisionRequest } from '../../benchmark/precision';
import type { Runtime, TaskResult } from '../../report/results';
import type { TaskOptions } from '../../task';
import type { ItemAnswer } from '../../tasks/grade';
import type { CorpusRequest } from './corpusRequest';

export interface PerplexityRequest extends CorpusRequest, TaskOptions {
  stride?: number;
  runtime?: Runtime;
  /** Of ONNX Runtime; default 'exact'. 'f16' needs WebGPU with shader-f16, and agreement with exact arithmetic on this text. */
  precision?: PrecisionRequest;
  /** Use at most this many sequences. Default: 16 of the built-in corpus, all of another. */
  samples?: number;
}

export interface LatencyRequest extends TaskOptions {
  /** Default 12. */
  promptTokens?: number;
  /** Default 128. */
  newTokens?: number;
  /** Default [1]. */
  batchSizes?: number[];
  warmups?: number;
  runs?: number;
  runtime?: Runtime;
  /** Default 'exact'. 'f16' needs WebGPU with shader-f16, and agreement with exact arithmetic on the calibration text. */
  precision?: PrecisionRequest;
  /**
   * Id of a variant to time in turns with this one, run by run: then the results have a speed-up, and that variant's row
   * gets its own times too. Needs two runs; an even number has as many of either order.
   */
  against?: string;
}

export interface EvaluateRequest extends TaskOptions {
  /**
   * 'story-endings' (built in: how does a held-out story go on?), or a .json or .jsonl file of questions: `{ context, choices, label }`,
   * or the fields of PIQA, BoolQ, HellaSwag, WinoGrande, ARC, OpenBookQA or BLiMP.
   */
  task: string | File;
  /** Indices of the right answers, one a line, for a file whose questions lack them, as PIQA's. */
  labels?: File;
  /** Asks the first questions only. */
  limit?: number;
  /** Default 'wgsl'; 'ort-wasm' without WebGPU. */
  runtime?: Runtime;
}

export interface EvaluateResult extends TaskResult {
  /** One per question; the comparison and reports do not keep them. */
  answers: readonly ItemAnswer[];
}

export interface GenerateOptions extends TaskOptions {
  newTokens?: number;
  temperature?: number;
  topK?: number;
  topP?: number;
  seed?: number;
  /**
   * By default the WGSL engine, which has the weights on the GPU already; 'ort-wasm' without WebGPU, and where the GPU is emulated
   * for models that ONNX Runtime writes sooner and that fit into its heap. While it writes, a progress report's `text` is what there is so far.
   */
  runtime?: Runtime;
}

export interface GenerateResult {
  /** What the tokens add to the prompt, with the space that parts them. */
  text: string;
  tokenIds: number[];
  /** The runtime that generated it. */
  runtime: Runtime;
  device: DeviceLabel;
}

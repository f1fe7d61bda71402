/** @file onnxruntime-node in the place of onnxruntime-web: the same interface, on the CPU. */
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { LoadedOrt, OrtLibrary } from '../ort';

export const nodeLibrary: LoadedOrt = {
  ort: { InferenceSession, Tensor } as unknown as OrtLibrary,
  version: 'onnxruntime-node',
  threads: 1,
};
